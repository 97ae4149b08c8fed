"""`Pad`: values added around the maps, or before and after the channels; negative amounts crop."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.checked import Checked
from explorer.layers.hyper_parameter import LARGEST, Pair, choice, integer, real
from explorer.layers.layer import (
    POINTWISE,
    Arithmetic,
    Call,
    Category,
    Kept,
    OperatorCall,
    SetValue,
    Shape,
    Suggestion,
    Window,
    format_shape,
)
from explorer.layers.registry import register

_SIDES = (("left", "right"), ("top", "bottom"))
"""Of the last dimension, and the one before it."""
_CHANNELS = ("before", "after")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Pad(Checked):
    """`torch.nn.functional.pad`: `(C, H, W)` to `(before + C + after, top + H + bottom, left + W + right)`.

    With a slice of stride 2 before it, zeros before and after the channels are ResNet's shortcut without parameters
    (He et al. 2016, section 3.3, option A).
    """

    category: ClassVar[Category] = Category.RESHAPE
    summary: ClassVar[str] = "Adds zeros or mirrored values around the maps or the channels; negative amounts crop."
    keywords: ClassVar[str] = "zero padding reflection replication circular crop shortcut option a"

    top: int = integer(0, minimum=-LARGEST, help="Rows added above; negative ones are cut off.")
    bottom: int = integer(0, minimum=-LARGEST, help="Rows added below; negative ones are cut off.")
    left: int = integer(0, minimum=-LARGEST, help="Columns added on the left; negative ones are cut off.")
    right: int = integer(0, minimum=-LARGEST, help="Columns added on the right; negative ones are cut off.")
    before: int = integer(0, minimum=-LARGEST, help="Channels or features added before the first.")
    after: int = integer(0, minimum=-LARGEST, help="Channels or features added after the last.")
    mode: str = choice(
        "constant", ("constant", "reflect", "replicate", "circular"), help="What is added: one value, or what is there."
    )
    value: float = real(0.0, minimum=-1e30, maximum=1e30, step=1.0, help="The value of constant padding.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """One pixel on each side."""
        return cls() if shape is not None and len(shape) < 3 else cls(top=1, bottom=1, left=1, right=1)

    def _amounts(self, dims: int) -> list[tuple[int, tuple[str, str], Pair]]:
        """For each padded dimension, last first: its number, its hyper-parameters, and (before, after)."""
        sides = [
            (dims - i, names, (getattr(self, names[0]), getattr(self, names[1])))
            for i, names in enumerate(_SIDES)
            if dims - i > 1
        ]
        return [*sides, (1, _CHANNELS, (self.before, self.after))]

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        for names in _SIDES[max(0, len(shape) - 1) :]:
            if given := [f"{name} {getattr(self, name)}" for name in names if getattr(self, name)]:
                return f"{' and '.join(given)} has no dimension: {format_shape(shape)} arrives; use before and after"
        if self.mode != "constant" and (len(shape) > 4 or (len(shape) == 4 and (self.before or self.after))):
            return f"{self.mode} padding does not reach dimension 1 of {format_shape(shape)}; use constant"
        for dim, names, amounts in self._amounts(len(shape)):
            if reason := _misfit(shape[dim - 1], names, amounts, self.mode):
                return f"{reason} dimension {dim} of {format_shape(shape)}"
        return None

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        (shape,) = inputs
        for dim, names, amounts in self._amounts(len(shape)):
            size = shape[dim - 1]
            if _misfit(size, names, amounts, self.mode) is None:
                continue
            for name, own, other in zip(names, amounts, reversed(amounts), strict=True):
                most = {"reflect": size - 1, "circular": size + min(0, other)}.get(self.mode, LARGEST)
                least = 1 - size - other
                yield SetValue(f"{name} {min(most, max(least, own))}", name, min(most, max(least, own)))
                yield SetValue(f"{name} 0", name, 0)
        for names in (*_SIDES, _CHANNELS):
            for name in names:
                yield SetValue(f"{name} 0", name, 0)
        yield SetValue("mode replicate", "mode", "replicate")
        yield SetValue("mode constant", "mode", "constant")

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        sizes = list(inputs[0])
        for dim, _, amounts in self._amounts(len(sizes)):
            sizes[dim - 1] += sum(amounts)
        return tuple(sizes)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        if len(inputs[0]) != 3 or not (self.top or self.left):
            return POINTWISE
        return Window((1, 1), (1, 1), (self.top, self.left), (1, 1))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,)) if self.mode in {"reflect", "replicate"} else Kept()

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        (shape,) = inputs
        amounts = {dim: pair for dim, _, pair in self._amounts(len(shape))}
        # torch's modes other than constant want a pair for each of the last dimensions, of which the first may be left.
        least = {1: 1, 2: 1, 3: 2, 4: 3}.get(len(shape), len(shape)) if self.mode != "constant" else 1
        reached = max((len(shape) + 1 - dim for dim, pair in amounts.items() if any(pair)), default=1)
        pad = [
            amount
            for dim in range(len(shape), len(shape) - max(least, reached), -1)
            for amount in amounts.get(dim, (0, 0))
        ]
        return OperatorCall("pad", {"pad": tuple(pad), "mode": self.mode, "value": self.value})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        (shape,) = inputs
        names = {1: "channels" if len(shape) > 1 else "features", len(shape) - 1: "height", len(shape): "width"}
        return tuple(
            Arithmetic(
                f"output {names[dim]}" if len(shape) == 3 else f"dimension {dim}",
                f"size + {before} + {after}",
                " + ".join(str(n).replace("-", "−") for n in (shape[dim - 1], *amounts)),
                output[dim - 1],
                "torch.nn.functional.pad",
            )
            for dim, (before, after), amounts in reversed(self._amounts(len(shape)))
            if any(amounts)
        )


def _misfit(size: int, names: tuple[str, str], amounts: Pair, mode: str) -> str | None:
    """Why torch cannot pad `size` places by `amounts`, in words before "dimension ..."; None if it can."""
    before, after = amounts
    written = f"{names[0]} {before} and {names[1]} {after}".replace("-", "−")
    out = size + before + after
    if out < 1:
        return f"{written} cut off all {size} places; leave at least one of"
    cropped = -min(before, 0) - min(after, 0)
    if mode == "constant" and cropped > size:
        return f"{written} cut off more than the {size} places before they add any; cut at most {size} of"
    # Past the values that a crop leaves, torch's circular padding copies memory that nothing has written: refused here.
    most = {"reflect": size - 1, "circular": size - cropped}.get(mode)
    if most is not None and max(amounts) > most:
        return f"{written}: {mode} padding adds at most {most} on a side, as far as there are values, to"
    return None
