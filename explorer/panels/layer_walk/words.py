"""What the Layer tab says: of a window, a tap, a sum, a pixel. The numbers are `layer_arithmetic`'s."""

from collections.abc import Callable

import numpy as np

from explorer.look.numbers import MINUS, percent
from explorer.panels.layer_walk.colours import full
from explorer.session.layer_arithmetic import Sum, Walk
from explorer.session.layer_window import ABSENT, BETWEEN, BEYOND

Translate = Callable[[str], str]


class Words:
    """Sentences of the tab, through a widget's translation."""

    def __init__(self, tr: Translate) -> None:
        self._tr = tr

    def patch(self, found: Sum, shown: int) -> str:
        """The heading of the patch."""
        if found.is_whole:
            return self._tr("input") if len(found.reads) == 1 else self._tr("channel {0}").format(shown)
        text = self._tr("channel {0}").format(found.reads[shown])
        padded = int(found.is_padding.sum())
        if not padded:
            return text
        return self._tr("{0} · {1}/{2} padding").format(text, padded, self._taps(found))

    def weights(self, found: Sum) -> str:
        """The heading of the weights."""
        return self._tr("weights")

    def products(self) -> str:
        """The heading of the products."""
        return self._tr("products")

    def window_sum(self, found: Sum, shown: int) -> str:
        """What the taps of one input channel come to."""
        count, value = self._taps(found), full(float(found.channel_sums[shown]))
        if found.kind == "maximum":
            best, there = found.best or (0, 0), int((found.state == 0).sum())
            return self._tr("the largest of {0} values, at row {1}, column {2} of the window").format(there, *best)
        if found.kind == "weighted":
            one = self._tr("the one product is {0}").format(value)
            return one if count == 1 else self._tr("the {0} products add up to {1}").format(count, value)
        if found.kind == "norm":
            text = self._tr("the {0} values to the power of {1} add up to {2}")
            return text.format(count, f"{found.power:g}", value)
        if found.kind == "mean" and found.divisor != count:
            text = self._tr("the {0} values that count add up to {1}; {2} do not count")
            return text.format(found.divisor, value, count - found.divisor)
        return self._tr("the {0} values add up to {1}").format(count, value)

    def channels(self, found: Sum) -> str:
        """The heading of the channels."""
        return self._tr("and so for each of the {0} input channels: the sums of their products").format(
            len(found.reads)
        )

    def others(self, count: int) -> str:
        """The channels that have no room."""
        return self._tr("{0} others").format(f"{count:,}")

    def result(self, found: Sum) -> tuple[str, str, str]:
        """The sum up to its result, the result, and what torch says of it."""
        total = full(found.total)
        summed = float(found.channel_sums.sum())
        if found.kind == "weighted":
            over = self._tr("Σ over {0} channels").format(len(found.reads)) if len(found.reads) > 1 else self._tr("Σ")
            before = f"{over} {full(summed)}{self._added(found.bias)} ="
        elif found.kind == "maximum":
            before = self._tr("maximum =")
        elif found.kind == "mean":
            before = self._tr("Σ {0} / {1} =").format(full(summed), found.divisor)
        elif found.kind == "norm":
            factor = "" if found.factor in {None, 1.0} else f" · {full(found.factor or 1.0)}"
            before = self._tr("(Σ {0}{1}) to the power of 1/{2} =").format(full(summed), factor, f"{found.power:g}")
        else:
            before = self._tr("Σ {0} × factor {1}{2} =").format(
                full(summed), full(found.factor or 0.0), self._added(found.bias)
            )
        return before, total, self._torch(found)

    def tap(self, found: Sum, shown: int, tap: tuple[int, int]) -> str:
        """The numbers of one tap."""
        state = int(found.state[tap])
        where = self._tr("row {0}, column {1}").format(*tap)
        if state == BETWEEN:
            return self._tr("{0}: between the pixels or beside the map, reads nothing").format(where)
        if state == BEYOND:
            return self._tr("{0}: beyond the map (ceil_mode), reads nothing").format(where)
        if state == ABSENT:
            return self._tr("{0}: no tap, this window is smaller than others").format(where)
        if found.is_padding[tap]:
            where = self._tr("{0} in the padding").format(where)
        value = full(float(found.patch[shown][tap]))
        if found.weights is None:
            return f"{where}: {value}"
        weight, product = float(found.weights[shown][tap]), float(found.products[shown][tap])
        return f"{where}: {value} × {full(weight)} = {full(product)}"

    def place(self, walk: Walk, found: Sum) -> str:
        """Below the output: which pixel is on show and how much of it padding is."""
        if walk.is_whole:
            return self._tr("output {0}").format(found.row * walk.output_shape[2] + found.column)
        text = self._tr("row {0}, column {1}").format(found.row, found.column)
        padded, taps = int(found.is_padding.sum()), self._taps(found)
        if padded:
            text = self._tr("{0} · {1} padding").format(text, percent(padded / taps, 0))
        return text

    def input_of(self, walk: Walk, channel: int) -> str:
        """Beside the input channel: of how many, or of which, where this output channel reads not all."""
        count, reads = walk.input_shape[0], walk.reads(channel)
        if len(reads) in {1, count}:
            return self._tr("of {0}").format(f"{count:,}")
        named = f"{reads[0]}–{reads[-1]}" if reads[-1] - reads[0] + 1 == len(reads) else ", ".join(map(str, reads))
        return self._tr("of {0}").format(named)

    def output_of(self, walk: Walk) -> str:
        """Beside the output channel: of how many."""
        count, height, width = walk.output_shape
        if walk.is_whole:
            return self._tr("Output · {0} features").format(f"{height * width:,}")
        return self._tr("of {0}").format(f"{count:,}")

    def window(self, walk: Walk) -> str:
        """Below the input: the window and its step."""
        rows, columns = walk.slide
        if walk.is_whole:
            return self._tr("every output reads all of it")
        window = self._tr("window {0}×{1}").format(rows.taps, columns.taps)
        if not rows.step or not columns.step or rows.outputs * columns.outputs == 1:
            return window
        step = str(columns.step) if rows.step == columns.step else f"{rows.step}×{columns.step}"
        return self._tr("{0}, moves by {1}").format(window, step)

    def readers(self, walk: Walk, row: int, column: int) -> str:
        """Below the input: which outputs read a pixel."""
        rows, columns = walk.slide
        if not (0 <= row < rows.size and 0 <= column < columns.size):
            return self._tr("padding, at row {0}, column {1}").format(_signed(row), _signed(column))
        count = int(walk.slide.readers(row, column).sum())
        where = self._tr("pixel {0}, {1}").format(row, column)
        if count:
            many = self._tr("{0} is read by {1} outputs").format(where, f"{count:,}")
            return many if count > 1 else self._tr("{0} is read by one output").format(where)
        return self._tr("{0} is read by no output").format(where)

    def unread(self, walk: Walk) -> str:
        """The pixels that no output reads, and why; empty where all are."""
        count = int(walk.slide.is_unread.sum())
        if not count:
            return ""
        rows, columns = walk.slide
        shares = percent(count / walk.slide.is_unread.size, 1 if count < walk.slide.is_unread.size / 20 else 0)
        text = self._tr("{0} pixels ({1}) never read").format(f"{count:,}", shares)
        tail = any(not axis.is_read[-1] for axis in (rows, columns))
        return text + (self._tr(", as the size is rounded down") if tail else self._tr(", between the windows"))

    def _taps(self, found: Sum) -> int:
        return int(((found.state != ABSENT) & (found.state != BETWEEN)).sum())

    def _added(self, bias: float | None) -> str:
        if bias is None:
            return ""
        word = self._tr("bias")
        return f" {MINUS} {word} {full(-bias)}" if bias < 0 else f" + {word} {full(bias)}"

    def _torch(self, found: Sum) -> str:
        difference = found.difference
        if np.isnan(difference) or not found.agrees:
            return self._tr("torch's output is {0}").format(full(found.output))
        if difference == 0:
            return self._tr("equals torch's output")
        off = f"{abs(difference):.0e}".replace("e-0", "e-").replace("-", MINUS)
        return self._tr("equals torch's output (rounding: {0})").format(off)


def _signed(value: int) -> str:
    return str(value).replace("-", MINUS)
