"""The random changes that training can make to its images: what each does, its strengths, and what fits.

Each transform is a class whose fields are its strengths; forms, the command line and the checks all read its
`strengths()`, so what a number means is said once, where it is declared. Which transforms are on together is
`augmentation`'s; what they compute is `training.augment`'s; nothing here needs torch.
"""

import dataclasses
import reprlib
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np

Group = Literal["geometry", "colour", "erasing", "mixing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """One number of a transform, as forms, options and checks need it."""

    name: str
    title: str
    kind: Literal["int", "float"]
    default: float
    minimum: float
    """Smallest value that fits, inclusive."""
    maximum: float
    """Largest value that fits, inclusive."""
    step: float
    """What a stepper adds."""
    neutral: float
    """Where all strengths of a transform are neutral, it changes nothing."""
    help: str
    """Meaning and unit."""

    @property
    def what_fits(self) -> str:
        """The second half of an error message: `a number from 0 to 1`."""
        kind = "whole number" if self.kind == "int" else "number"
        return f"a {kind} from {written_number(self.minimum)} to {written_number(self.maximum)}"

    def check(self, transform: str, value: object) -> float:
        """The value as `int` or `float`.

        Raises:
            ValueError: of the wrong type or out of range; says where, what was received and what would fit.
        """
        types = (int, np.integer) if self.kind == "int" else (int, float, np.integer, np.floating)
        # NaN and the infinities fail the comparison.
        if isinstance(value, types) and not isinstance(value, bool) and self.minimum <= value <= self.maximum:
            return int(value) if self.kind == "int" else float(value) + 0.0  # no minus zero
        raise ValueError(f"augmentation {transform}: {self.name} received {reprlib.repr(value)}; use {self.what_fits}")

    def parse(self, transform: str, text: str) -> float:
        """The value that a user typed.

        Raises:
            ValueError: as for `check`.
        """
        try:
            return self.check(transform, int(text) if self.kind == "int" else float(text))
        except ValueError:
            raise ValueError(f"augmentation {transform}: {self.name} received {text!r}; use {self.what_fits}") from None


def _strength(default: float, maximum: float, step: float, title: str, help: str, **more: float) -> float:
    """Declare a field of a transform; dataclasses replaces what this returns by the default, hence the type."""
    described = {"default": default, "minimum": 0.0, "maximum": maximum, "step": step, "title": title, "help": help}
    metadata = {"kind": "float", "neutral": 0.0, **described, **more}
    return dataclasses.field(default=default, metadata=metadata)


def _pixels(default: int, maximum: int, title: str, help: str) -> int:
    described = {"kind": "int", "default": default, "minimum": 0, "maximum": maximum, "step": 1, "neutral": 0}
    return dataclasses.field(default=default, metadata={**described, "title": title, "help": help})


@dataclass(frozen=True, slots=True)
class Transform:
    """One random change, drawn anew for each image of each batch.

    Raises:
        ValueError: a strength does not fit; the message names it, what was received and what would fit.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    group: ClassVar[Group]
    help: ClassVar[str]
    """What it does, for tooltips and `--help`."""

    def __post_init__(self) -> None:
        for strength in self.strengths():
            object.__setattr__(self, strength.name, strength.check(self.name, getattr(self, strength.name)))

    @classmethod
    def strengths(cls) -> tuple[Strength, ...]:
        """Its numbers, in the order in which they are written and shown."""
        return tuple(Strength(name=field.name, **field.metadata) for field in dataclasses.fields(cls))

    @classmethod
    def neutral(cls) -> Self:
        """The transform so weak that it changes nothing."""
        values: dict[str, Any] = {strength.name: strength.neutral for strength in cls.strengths()}
        return cls(**values)

    @property
    def written(self) -> str:
        """With all its strengths, so that a later default does not change what is meant: `erase:0.5/0.33`."""
        return f"{self.name}:{'/'.join(written_number(getattr(self, strength.name)) for strength in self.strengths())}"

    @property
    def text(self) -> str:
        """For people: "random erasing (probability 0.5, largest area 0.33)"."""
        values = (f"{s.title.lower()} {written_number(getattr(self, s.name))}" for s in self.strengths())
        return f"{self.title.lower()} ({', '.join(values)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip(Transform):
    """Left and right exchanged."""

    name = "flip"
    title = "Horizontal flip"
    group = "geometry"
    help = "Exchanges left and right. Not for digits and letters, which it turns into others."

    p: float = _strength(0.5, 1.0, 0.05, "Probability", "Share of the images that are flipped.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop(Transform):
    """Padded with black on all sides, then cut to the old size at a random place."""

    name = "crop"
    title = "Random crop"
    group = "geometry"
    help = "Pads each image with black and cuts its size out again somewhere: it moves by up to the padding."

    padding: int = _pixels(4, 256, "Padding", "Pixels added on each side, at the size that the network takes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizedCrop(Transform):
    """A random part, brought back to the whole size (Szegedy et al. 2015, section 6)."""

    name = "resized_crop"
    title = "Random resized crop"
    group = "geometry"
    help = "Cuts out a part of random area and aspect ratio and brings it to the whole size again."

    area: float = _strength(
        0.25, 1.0, 0.05, "Smallest area", "Least share of the image's area that is kept.", minimum=0.01, neutral=1.0
    )
    aspect: float = _strength(
        1.33,
        4.0,
        0.05,
        "Aspect ratio",
        "How many times wider than the image for its height, or higher for its width, the part is at most.",
        minimum=1.0,
        neutral=1.0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Translate(Transform):
    """Moved; black comes in."""

    name = "translate"
    title = "Translation"
    group = "geometry"
    help = "Moves each image across and along by a random share of its sides; black comes in."

    share: float = _strength(0.1, 1.0, 0.05, "Largest share", "Of the width and of the height, either way.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate(Transform):
    """Turned about the centre; black comes in."""

    name = "rotate"
    title = "Rotation"
    group = "geometry"
    help = "Turns each image about its centre by a random angle; black comes in at the corners."

    degrees: float = _strength(15.0, 180.0, 5.0, "Largest angle", "In degrees, either way.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter(Transform):
    """torchvision's ColorJitter, in the order brightness, contrast, saturation, hue."""

    name = "jitter"
    title = "Colour jitter"
    group = "colour"
    help = "Changes brightness, contrast, saturation and hue by random amounts; the last two need colour images."

    brightness: float = _strength(0.2, 1.0, 0.05, "Brightness", "The factor lies from 1 − this to 1 + this.")
    contrast: float = _strength(0.2, 1.0, 0.05, "Contrast", "The factor lies from 1 − this to 1 + this.")
    saturation: float = _strength(0.2, 1.0, 0.05, "Saturation", "The factor lies from 1 − this to 1 + this.")
    hue: float = _strength(0.05, 0.5, 0.01, "Hue", "Share of the colour circle, either way; 0.5 is the opposite.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast(Transform):
    """Contrast alone, about the image's mean grey."""

    name = "contrast"
    title = "Contrast"
    group = "colour"
    help = "Changes the contrast about the image's mean grey by a random factor; works on grey images too."

    factor: float = _strength(0.4, 1.0, 0.05, "Strength", "The factor lies from 1 − this to 1 + this.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lighting(Transform):
    """Noise along the principal components of the training images' colours (Krizhevsky et al. 2012, section 4.1)."""

    name = "lighting"
    title = "Lighting noise"
    group = "colour"
    help = "Shifts each image's colour along the principal components of the training images' colours, as AlexNet did."

    sigma: float = _strength(
        0.1, 1.0, 0.05, "Sigma", "Standard deviation of the shift, as a share of the component's own."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase(Transform):
    """A random rectangle takes the data set's mean colour (Zhong et al. 2020, algorithm 1)."""

    name = "erase"
    title = "Random erasing"
    group = "erasing"
    help = "Covers a random rectangle with the training images' mean colour."

    p: float = _strength(0.5, 1.0, 0.05, "Probability", "Share of the images that lose a rectangle.")
    area: float = _strength(0.33, 1.0, 0.05, "Largest area", "Of the rectangle, as a share of the image's; from 0.02.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixup(Transform):
    """Blended with another image of the batch, and so are the labels (Zhang et al. 2018, section 2)."""

    name = "mixup"
    title = "Mixup"
    group = "mixing"
    help = "Blends each image and its label with another of the batch. With CutMix on, each image gets one of the two."

    alpha: float = _strength(
        0.2, 10.0, 0.1, "Alpha", "The shares follow Beta(alpha, alpha): near 0 mostly one image, 1 any blend."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CutMix(Transform):
    """A rectangle comes from another image of the batch, and the label by its area (Yun et al. 2019, section 3.1)."""

    name = "cutmix"
    title = "CutMix"
    group = "mixing"
    help = "Pastes a rectangle of another image of the batch; the label follows the areas."

    alpha: float = _strength(
        1.0, 10.0, 0.1, "Alpha", "The areas follow Beta(alpha, alpha): near 0 mostly one image, 1 any area."
    )


def written_number(value: float) -> str:
    """A number as a person writes it, to the last bit: 4 and 0.5, not 4.0."""
    return repr(value).removesuffix(".0")


TRANSFORMS: tuple[type[Transform], ...] = (
    Flip, Crop, ResizedCrop, Translate, Rotate, Jitter, Contrast, Lighting, Erase, Mixup, CutMix
)  # fmt: skip
"""Every transform, in the order in which they apply, are written and are shown."""

GROUPS: tuple[Group, ...] = get_args(Group)
"""The parts of a form, in order."""
