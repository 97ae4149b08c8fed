"""What the Feature maps tab says: of a layer, of its channels, of one value. The numbers come from elsewhere."""

import math
from collections.abc import Callable

from explorer.inference.report import NodeReport
from explorer.look import numbers
from explorer.panels.feature_maps.colours import exact_text, value_text
from explorer.panels.feature_maps.pointing import arithmetic_of, exact_value
from explorer.panels.feature_maps.taken import Taken
from explorer.panels.feature_maps.values import Maps, Reference, dead_channels
from explorer.runs import Probe
from explorer.runs.looks import Pixel
from explorer.session import Document

Translate = Callable[[str], str]


class Words:
    """Sentences of the tab, through a widget's translation."""

    def __init__(self, tr: Translate) -> None:
        self._tr = tr

    def facts(self, report: NodeReport, taken: Taken, current: Probe | None) -> tuple[str, ...]:
        """Type, shape, and where the maps come from, which is last, as all else is found elsewhere too; before it the
        image where it is not the current one, as in a look back."""
        is_other = taken.probe and (current is None or taken.probe != current.label)
        probe = (taken.probe,) if is_other else ()
        return (report.layer.type_name, numbers.shape(report.output_shape), *probe, taken.source.text)

    def range(self, maps: Maps, is_too_large: bool) -> str:
        """The smallest and the largest value; and why they are not followed in full."""
        least, greatest = value_text(maps.minimum), value_text(maps.maximum)
        said = self._tr("values {least} to {greatest}").format(least=least, greatest=greatest)
        if not maps.is_exact and is_too_large:
            return self._tr("{said}, as a picture: too many to follow in full").format(said=said)
        return said

    def dead(self, maps: Maps) -> str:
        """How many channels are zero everywhere; of a vector, how many values."""
        dead = int(dead_channels(maps).sum()) if maps.is_exact or maps.minimum == 0 else 0
        if maps.is_vector:
            said = self._tr("{dead} of {count} values zero") if dead else self._tr("no value is zero")
        else:
            said = self._tr("{dead} of {count} channels all zero") if dead else self._tr("no channel is all zero")
        return said.format(dead=dead, count=maps.num_channels)

    def part(self, report: NodeReport, taken: Taken) -> tuple[str, ...]:
        """How many channels a moment keeps, where that is fewer than there are.

        Of how many is left to the shape beside it: the network may have been edited since.
        """
        shape, count = report.output_shape, taken.maps.num_channels
        if not taken.source.is_past or taken.maps.is_vector or shape is None or count >= shape[0]:
            return ()
        return (self._tr("{0} channels kept").format(numbers.exact_count(count)),)

    def change(self, order: str, known: Reference | None) -> str:
        """Since when channels in such an order have changed; empty for other orders."""
        if order not in {"last", "first"} or known is None:
            return ""
        if known.last is None:
            return self._tr("nothing has changed yet")
        return self._tr("changed since {0}").format(known.first_text) if order == "first" else ""

    def channel(self, maps: Maps, channel: int) -> str:
        """The enlarged channel and its range."""
        values = maps.values[channel]
        low, high = value_text(float(values.min()), 2), value_text(float(values.max()), 2)
        said = self._tr("channel {channel} · {least} … {greatest}")
        return said.format(channel=channel, least=low, greatest=high)

    def value(self, pixel: Pixel, taken: Taken, report: NodeReport) -> str:
        """Where a value is, what it is, and how it comes about.

        Args:
            taken: the newest of its node.
            report: of its node.
        """
        if taken.maps.is_vector:
            place = self._tr("feature {index}").format(index=pixel.channel)
        else:
            words = self._tr("channel {channel} · row {row}, column {column}")
            place = words.format(channel=pixel.channel, row=pixel.row, column=pixel.column)
        if taken.opened is None and pixel.channel >= taken.maps.num_channels:
            return place
        if taken.opened is None:
            return f"{place} ≈ {value_text(_near(taken.maps, pixel, report.output_shape))}"
        value = exact_value(taken.opened, pixel)
        if value is None:
            return place
        done = arithmetic_of(report.layer, taken.opened, pixel)
        if done is None:
            return f"{place} = {exact_text(value)}"
        if done.agrees(value):
            return f"{place} = {done.text} = {exact_text(value)}"
        # On a GPU, products may have been rounded to ten bits.
        return f"{place} = {exact_text(value)} ≈ {done.text} = {value_text(done.value)}"

    def what_to_do(self, document: Document, current: str | None, has_probe: bool, problem: str) -> str:
        """Why nothing is shown, and what to do about it."""
        if not document.is_open:
            return self._tr("Open a network to see its feature maps.")
        if current is None:
            return self._tr("Select a layer on the canvas or in the table to see its feature maps.")
        reports = document.snapshot.inference.nodes
        if current in reports and reports[current].output_shape is None:
            said = self._tr("{node} has no output yet: mend the fault that the Issues panel names.")
            return said.format(node=current)
        if problem:
            return problem
        if not has_probe:
            return self._tr("Choose a probe image above.")
        return self._tr("Waiting for the maps of {node}…").format(node=current)


def _near(maps: Maps, pixel: Pixel, shape: tuple[int, ...] | None) -> float:
    """What a picture, averaged down maybe, says of a value of a layer of that shape."""
    if maps.is_vector or shape is None or len(shape) < 2:
        return float(maps.values[min(pixel.channel, maps.num_channels - 1), 0, 0])
    _, height, width = maps.values.shape
    row, column = pixel.row * height // math.prod(shape[1:-1]), pixel.column * width // shape[-1]
    return float(maps.values[pixel.channel, min(row, height - 1), min(column, width - 1)])
