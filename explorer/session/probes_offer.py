"""Test images of a data set to choose probes from, and where each probe came from."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from explorer.runs import Probe
from explorer.runs.data_sources import DIGITS
from explorer.session.probes import probe_images


class Origin(NamedTuple):
    """Where a probe came from, so that it is found again at the next start."""

    kind: Literal["data", "file", "picture", "drawn"]
    """A data set's test image, a file, pixels that came in another way, or what somebody drew."""
    data: str = ""
    """The data set, as `RunConfig.data`."""
    number: int = 0
    """Among the images of its class that are offered, from 0."""
    path: str = ""


class ProbeOffer(NamedTuple):
    """Some test images of each class."""

    data: str
    class_names: tuple[str, ...]
    by_class: Mapping[int, tuple[Probe, ...]]
    """Of classes that have any; each image's class is its `target`."""

    def find(self, label: int, number: int) -> Probe | None:
        """An image of a class, the numbers beginning anew behind the last; None for a class without any."""
        images = self.by_class.get(label)
        return images[number % len(images)] if images else None

    def origin(self, probe: Probe) -> Origin:
        """Where an image of this offer comes from.

        Raises:
            ValueError: it is none.
        """
        for label, images in self.by_class.items():
            if label == probe.target and probe in images:
                return Origin("data", data=self.data, number=images.index(probe))
        raise ValueError(f"{probe.label} is no image of {self.data}")


def offer_of_digits() -> ProbeOffer:
    """The embedded digits, which are always there.

    Raises:
        FileNotFoundError: the installation lacks them.
    """
    probes = probe_images()
    names = tuple(str(digit) for digit in range(10))
    by_class = {digit: tuple(probe for probe in probes if probe.target == digit) for digit in range(10)}
    return ProbeOffer(DIGITS, names, by_class)
