"""Normalisation: values brought to a common scale."""

from dataclasses import dataclass
from typing import ClassVar

from explorer.layers.geometry import expects_maps
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Fault,
    Layer,
    ModuleCall,
    SetValue,
    Shape,
    flag,
    follows,
    real,
)
from explorer.layers.registry import register


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNorm2d(Layer):
    """`torch.nn.BatchNorm2d`: each channel normalised over the batch (Ioffe and Szegedy 2015, algorithm 1)."""

    category: ClassVar[Category] = Category.NORMALIZATION
    summary: ClassVar[str] = "Brings each channel to zero mean and unit variance over the batch; scales and shifts."

    num_features: int | None = follows(help="Channels that arrive; follows the input unless fixed.")
    eps: float = real(1e-5, minimum=0.0, maximum=1.0, step=1e-5, help="Added to the variance; avoids division by zero.")
    momentum: float = real(0.1, minimum=0.0, maximum=1.0, step=0.01, help="Share of a new batch in the running mean.")
    affine: bool = flag(True, help="Learns a scale and a shift for each channel.")
    track_running_stats: bool = flag(True, help="Keeps a running mean and variance for evaluation.")

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        (shape,) = inputs
        if wrong := expects_maps(self.type_name, shape):
            return wrong
        if self.num_features is not None and self.num_features != shape[0]:
            return Fault(
                f"num_features is fixed at {self.num_features}, but {shape[0]} channels arrive; use {shape[0]}",
                (
                    SetValue("num_features follows the input", "num_features", None),
                    SetValue(f"num_features {shape[0]}", "num_features", shape[0]),
                ),
            )
        return None

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        return 2 * inputs[0][0] if self.affine else 0

    def num_buffers(self, inputs: tuple[Shape, ...]) -> int:
        return 2 * inputs[0][0] if self.track_running_stats else 0

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("BatchNorm2d", {**self.values(), "num_features": inputs[0][0]})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        channels, source = inputs[0][0], "torch.nn.BatchNorm2d"
        lines = []
        if self.affine:
            lines.append(Arithmetic("parameters", "2·C (scale, shift)", f"2·{channels}", 2 * channels, source))
        if self.track_running_stats:
            lines.append(Arithmetic("buffers", "2·C (mean, variance)", f"2·{channels}", 2 * channels, source))
        return tuple(lines)
