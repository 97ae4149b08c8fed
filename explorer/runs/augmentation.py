"""Which random changes training makes to its images: one frozen value and its one written form.

Written, an augmentation is the transforms' names with commas between them, each with its strengths after a colon and
slashes between those: `flip,crop:4,resized_crop:0.25/1.33,mixup:0.2`. Strengths left out take their defaults. What
there is to choose from is `augmentation_transforms`.
"""

import dataclasses
import difflib
from dataclasses import dataclass
from typing import Any, Self

from explorer.runs.augmentation_transforms import (
    TRANSFORMS,
    Contrast,
    Crop,
    CutMix,
    Erase,
    Flip,
    Jitter,
    Lighting,
    Mixup,
    ResizedCrop,
    Rotate,
    Transform,
    Translate,
)

NO_AUGMENTATION = "none"
"""The written form of an augmentation without transforms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """The transforms that are on; None is off. They apply in this order, per image, before normalisation.

    Raises:
        TypeError: a field holds another transform.
    """

    flip: Flip | None = None
    crop: Crop | None = None
    resized_crop: ResizedCrop | None = None
    translate: Translate | None = None
    rotate: Rotate | None = None
    jitter: Jitter | None = None
    contrast: Contrast | None = None
    lighting: Lighting | None = None
    erase: Erase | None = None
    mixup: Mixup | None = None
    cutmix: CutMix | None = None

    def __post_init__(self) -> None:
        for kind in TRANSFORMS:
            value = getattr(self, kind.name)
            if value is not None and type(value) is not kind:
                raise TypeError(f"augmentation {kind.name}: received {value!r}; use {kind.__name__} or None")

    @property
    def transforms(self) -> tuple[Transform, ...]:
        """Those that are on, in order."""
        return tuple(value for kind in TRANSFORMS if (value := self.transform(kind.name)) is not None)

    def transform(self, name: str) -> Transform | None:
        """The transform of that name; None while it is off."""
        value: Transform | None = getattr(self, name)
        return value

    def replaced(self, name: str, transform: Transform | None) -> Self:
        """With that transform, or without it."""
        values: dict[str, Any] = {name: transform}
        return dataclasses.replace(self, **values)

    @property
    def written(self) -> str:
        """As `parse_augmentation` reads it, to the last bit; `none` without transforms."""
        return ",".join(transform.written for transform in self.transforms) or NO_AUGMENTATION

    @property
    def text(self) -> str:
        """For people: "horizontal flip (probability 0.5), random crop (padding 4)"."""
        return ", ".join(transform.text for transform in self.transforms) or NO_AUGMENTATION


def parse_augmentation(text: str) -> Augmentation:
    """The augmentation in its written form; `none` and the empty text are no transforms.

    Raises:
        ValueError: an unknown transform (with near matches), one named twice, or a strength that does not fit.
    """
    if text.strip() in ("", NO_AUGMENTATION):
        return Augmentation()
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, colon, numbers = part.strip().partition(":")
        kind = _BY_NAME.get(name)
        if kind is None:
            near = difflib.get_close_matches(name, _BY_NAME, n=3, cutoff=0.5) or list(_BY_NAME)
            raise ValueError(f"augmentation: unknown transform {name!r}; did you mean {' or '.join(near)}?")
        if name in found:
            raise ValueError(f"augmentation {name}: received twice; name each transform once")
        found[name] = _parsed(kind, numbers.split("/") if colon else [])
    return Augmentation(**found)


def canonical_augmentation(text: str) -> str:
    """The one spelling of an augmentation that a user wrote.

    Raises:
        ValueError: as for `parse_augmentation`.
    """
    return parse_augmentation(text).written


def _parsed(kind: type[Transform], numbers: list[str]) -> Transform:
    strengths = kind.strengths()
    if len(numbers) > len(strengths):
        raise ValueError(
            f"augmentation {kind.name}: received {len(numbers)} strengths; use at most {len(strengths)}: {_form(kind)}"
        )
    pairs = zip(strengths, numbers, strict=False)
    values: dict[str, Any] = {strength.name: strength.parse(kind.name, number.strip()) for strength, number in pairs}
    return kind(**values)


def _form(kind: type[Transform]) -> str:
    return f"{kind.name}:{'/'.join(strength.name.upper() for strength in kind.strengths())}"


_BY_NAME = {kind.name: kind for kind in TRANSFORMS}

AUGMENTATION_FORMS = ", ".join(_form(kind) for kind in TRANSFORMS)
"""Every transform's written form, for `--help`: `flip:P, crop:PADDING, …`."""
