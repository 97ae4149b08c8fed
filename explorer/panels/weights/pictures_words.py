"""What the pictures of weights say: what they are of, of one weight below the mouse, and why there are none."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from explorer.layers import Category, Layer, format_shape
from explorer.panels.weights.kernel_view import short
from explorer.panels.weights.kernels import Form, Weights

What = Literal["weight", "change", "gradient"]
Translate = Callable[[str], str]


class Choice(NamedTuple):
    """One entry of the menu of forms."""

    form: Form
    is_folded: bool


class Words:
    """Sentences of the page about a layer, through a widget's translation."""

    def __init__(self, tr: Translate, layer: Layer | None) -> None:
        self._tr = tr
        self._is_convolution = layer is not None and layer.category == Category.CONVOLUTION

    def form(self, choice: Choice) -> str:
        """An entry of the menu."""
        names = {
            Choice("colour", False): self._tr("In colour"),
            Choice("channel", False): self._tr("One input channel"),
            Choice("kernels", False): self._tr("All kernels"),
            Choice("matrix", False): self._tr("As a matrix"),
            Choice("colour", True): self._tr("Over the map, in colour"),
            Choice("channel", True): self._tr("Over the map, one channel"),
            Choice("kernels", True): self._tr("Over the map, all channels"),
        }
        return names[choice]

    def nothing(self, what: What, *, is_known: bool) -> str:
        """Why there are no pictures; `is_known` says that there are values, all of them 0."""
        if what == "gradient":
            return self._tr("There is no gradient yet: start a run (F5), and that of its last step appears here.")
        if is_known:
            return self._tr("Nothing has changed yet: these are the weights that training starts from.")
        return self._tr("What these weights were before their training is not known, so their change is not either.")

    def caption(self, what: What, weights: Weights, choice: Choice, channel: int, block: int) -> str:
        """What is a picture of what.

        Args:
            what: is shown of the weights.
            weights: that are drawn.
            choice: their form.
            channel: the chosen input channel.
            block: weights a pixel's side.
        """
        whole = {
            "weight": "{0}",
            "change": self._tr("change since the start · {0}"),
            "gradient": self._tr("gradient of the last step · {0}"),
        }[what]
        return whole.format(self._of_weights(weights, choice, channel, block))

    def _of_weights(self, weights: Weights, choice: Choice, channel: int, block: int) -> str:
        outputs, inputs, height, width = weights.values.shape
        size = f"{height}×{width}"
        if weights.is_vector:
            return self._tr("one number for each of {0} channels").format(inputs)
        if choice.form == "matrix":
            text = self._tr("a row for each of {0} outputs, a column for each of {1} inputs")
            if outputs > inputs:
                text = self._tr("a column for each of {0} outputs, a row for each of {1} inputs")
            text = text.format(outputs, inputs)
            if block > 1:
                text += self._tr("; each pixel is the mean of {0}×{0} weights").format(block)
            return text
        if choice.form == "kernels":
            return self._tr("a column for each of {0} {1}s, a row for each of {2} input channels").format(
                outputs, self.noun(weights), inputs
            )
        if choice.form == "colour":
            text = self._tr("{0} {1}s of {2}: weights of red, green and blue as that much of each; grey is 0")
            return text.format(outputs, self.noun(weights), size)
        if weights.is_folded:
            return self._tr("{0} units: the weights of each for channel {1} of the {2} map that it reads").format(
                outputs, channel, format_shape(weights.values.shape[1:])
            )
        if weights.groups > 1:
            if inputs == 1:
                return self._tr("{0} filters of {1}, each for one input channel").format(outputs, size)
            text = self._tr("{0} filters of {1}: weights of input channel {2} of each filter's own {3}")
            return text.format(outputs, size, channel, inputs)
        text = self._tr("{0} filters of {1}: weights of input channel {2}")
        return text.format(outputs, size, channel)

    def colours(self, weights: Weights, tile: int, row: int, column: int) -> str:
        """A pixel of a filter in colour."""
        red, green, blue = (short(float(value)) for value in weights.values[tile, :, row, column])
        text = self._tr("{0} {1} · row {2}, column {3} · red {4}, green {5}, blue {6}")
        return text.format(self.noun(weights), tile, row, column, red, green, blue)

    def mean(self, weights: Weights, output: int, place: int, block: int) -> str:
        """A pixel of a matrix that stands for several weights."""
        matrix = weights.values[:, :, 0, 0]
        mean = float(matrix[output : output + block, place : place + block].mean())
        text = self._tr("outputs from {0}, inputs from {1} · mean {2}")
        return text.format(output, place, short(mean))

    def value(self, weights: Weights, output: int, place: int, row: int, column: int) -> str:
        """One weight."""
        height, width = weights.values.shape[2:]
        value = short(float(weights.values[output, place, row, column]))
        if weights.is_vector:
            return self._tr("channel {0} · {1}").format(place, value)
        where = [f"{self.noun(weights)} {output}", self._tr("input {0}").format(weights.channel(output, place))]
        if height * width > 1:
            where.append(self._tr("row {0}, column {1}").format(row, column))
        return " · ".join((*where, value))

    def noun(self, weights: Weights) -> str:
        """What an output is called."""
        if weights.is_vector:
            return self._tr("channel")
        return self._tr("filter") if self._is_convolution else self._tr("unit")
