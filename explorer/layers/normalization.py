"""Normalisation over the batch, groups of channels or single channels. `layer_norm` holds the other norms."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.checked import Checked, nearest_divisors, not_maps
from explorer.layers.hyper_parameter import flag, follows, integer, real
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Kept,
    ModuleCall,
    Remark,
    SetValue,
    Shape,
    Suggestion,
    Window,
    format_shape,
    whole,
)
from explorer.layers.linear import flatten_before
from explorer.layers.registry import register

_EPS_HELP = "Added to the variance; avoids division by zero."
STATISTICS_BYTES = 8  # a mean and a reciprocal deviation, in float32 whatever the precision of the rest


def eps_field(default: float = 1e-5) -> float:
    """The hyper-parameter that all norms share."""
    field: float = real(default, minimum=0.0, maximum=1.0, step=1e-5, help=_EPS_HELP)
    return field


class FixedChannels(Checked):
    """A layer that owns values for each channel: their number follows the input, or is fixed and must fit."""

    __slots__ = ()

    category: ClassVar[Category] = Category.NORMALIZATION
    size_name: ClassVar[str] = "num_channels"
    """The hyper-parameter that follows the channels."""

    @property
    def fixed_size(self) -> int | None:
        """The number of channels that the user fixed."""
        size: int | None = getattr(self, self.size_name)
        return size

    @property
    def reads_size(self) -> bool:
        """Whether torch compares the number with what arrives."""
        return True

    def size(self, inputs: tuple[Shape, ...]) -> int:
        """The number of channels that torch is told."""
        return inputs[0][0] if self.fixed_size is None else self.fixed_size

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        if not self.reads_size or self.fixed_size in {None, inputs[0][0]}:
            return None
        return f"{self._misfit(inputs)}; use {inputs[0][0]:,}"

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        return self._fitting(inputs)

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        if self.fixed_size in {None, inputs[0][0]}:
            return ()
        return (Remark("note", f"{self._misfit(inputs)}; nothing depends on it here", self._fitting(inputs)),)

    def _misfit(self, inputs: tuple[Shape, ...]) -> str:
        return f"{self.size_name} is fixed at {self.fixed_size:,}, but {inputs[0][0]:,} channels arrive"

    def _fitting(self, inputs: tuple[Shape, ...]) -> tuple[SetValue, ...]:
        channels = inputs[0][0]
        return (
            SetValue(f"{self.size_name} follows the input", self.size_name, None),
            SetValue(f"{self.size_name} {channels:,}", self.size_name, channels),
        )


class _ChannelNorm(FixedChannels):
    """What batch, group and instance norm share: a scale and a shift for each channel, maybe running statistics."""

    __slots__ = ()

    affine: bool

    @property
    def tracks(self) -> bool:
        """Whether it keeps running statistics."""
        return False

    @property
    def reads_size(self) -> bool:
        return self.affine or self.tracks

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        return 2 * self.size(inputs) if self.affine else 0

    def num_buffers(self, inputs: tuple[Shape, ...]) -> int:
        return 2 * self.size(inputs) if self.tracks else 0

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall(self.type_name, {**self.values(), self.size_name: self.size(inputs)})

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        channels, source = self.size(inputs), f"torch.nn.{self.type_name}"
        lines = []
        if self.affine:
            lines.append(Arithmetic("parameters", "2·C (scale, shift)", f"2·{channels}", 2 * channels, source))
        if self.tracks:
            lines.append(Arithmetic("buffers", "2·C (mean, variance)", f"2·{channels}", 2 * channels, source))
        return tuple(lines)


class _BatchNorm(_ChannelNorm):
    """Each channel normalised over the batch (Ioffe and Szegedy 2015, algorithm 1)."""

    __slots__ = ()

    size_name: ClassVar[str] = "num_features"
    track_running_stats: bool

    @property
    def tracks(self) -> bool:
        return self.track_running_stats

    def needs_several_images(self, inputs: tuple[Shape, ...]) -> bool:
        return math.prod(inputs[0][1:]) == 1

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        remarks = FixedChannels.remarks(self, inputs, output)
        if not self.needs_several_images(inputs):
            return remarks
        message = "one value of each channel arrives from an image: training needs batches of at least 2 images"
        return (*remarks, Remark("note", message))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,), batch_bytes=STATISTICS_BYTES * inputs[0][0])


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNorm2d(_BatchNorm):
    """`torch.nn.BatchNorm2d`: each channel of `(C, H, W)` normalised over the batch."""

    summary: ClassVar[str] = "Brings each channel to zero mean and unit variance over the batch; scales and shifts."
    keywords: ClassVar[str] = "batch normalization normalisation bn"

    num_features: int | None = follows(help="Channels that arrive; follows the input unless fixed.")
    eps: float = eps_field()
    momentum: float = real(0.1, minimum=0.0, maximum=1.0, step=0.01, help="Share of a new batch in the running mean.")
    affine: bool = flag(True, help="Learns a scale and a shift for each channel.")
    track_running_stats: bool = flag(True, help="Keeps a running mean and variance for evaluation.")

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        return not_maps(self.type_name, inputs[0]) or FixedChannels.wrong(self, inputs)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class BatchNorm1d(_BatchNorm):
    """`torch.nn.BatchNorm1d`: each feature of `(features,)`, or channel of `(C, L)`, normalised over the batch."""

    summary: ClassVar[str] = "Brings each feature to zero mean and unit variance over the batch; scales and shifts."
    keywords: ClassVar[str] = "batch normalization normalisation bn"

    num_features: int | None = follows(help="Features that arrive; follows the input unless fixed.")
    eps: float = eps_field()
    momentum: float = real(0.1, minimum=0.0, maximum=1.0, step=0.01, help="Share of a new batch in the running mean.")
    affine: bool = flag(True, help="Learns a scale and a shift for each feature.")
    track_running_stats: bool = flag(True, help="Keeps a running mean and variance for evaluation.")

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        (shape,) = inputs
        if len(shape) > 2:
            return (
                f"BatchNorm1d works on a row of features; received {format_shape(shape)}; flatten, or use BatchNorm2d"
            )
        return FixedChannels.wrong(self, inputs)

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        if len(inputs[0]) > 2:
            yield flatten_before()
        yield from self._fitting(inputs)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNorm(_ChannelNorm):
    """`torch.nn.GroupNorm`: groups of channels normalised within each image (Wu and He 2018)."""

    summary: ClassVar[str] = "Brings each group of channels to zero mean and unit variance in each image."
    keywords: ClassVar[str] = "group normalization normalisation gn"

    num_groups: int = integer(help="Groups that the channels are parted into.", on_node=True)
    num_channels: int | None = follows(help="Channels that arrive; follows the input unless fixed.")
    eps: float = eps_field()
    affine: bool = flag(True, help="Learns a scale and a shift for each channel.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """The paper's 32 groups, or the most below that divide the channels."""
        divisors = [32] if shape is None else [d for d in nearest_divisors(shape[0], 1, shape[0]) if d <= 32]
        return cls(num_groups=max(divisors))

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        arriving = inputs[0][0]
        for channels in (self.size(inputs), arriving):
            if channels % self.num_groups:
                nearest = ", ".join(str(d) for d in sorted(nearest_divisors(arriving, self.num_groups)))
                return f"num_groups {self.num_groups} must divide the {channels} channels; use {nearest}"
        return FixedChannels.wrong(self, inputs)

    def candidates(self, inputs: tuple[Shape, ...]) -> Iterable[Suggestion]:
        for groups in nearest_divisors(math.gcd(inputs[0][0], self.size(inputs)), self.num_groups):
            yield SetValue(f"num_groups {groups}", "num_groups", groups)
        yield from self._fitting(inputs)

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        remarks = FixedChannels.remarks(self, inputs, output)
        if math.prod(inputs[0]) > self.num_groups:
            return remarks
        fewer = (d for d in nearest_divisors(inputs[0][0], self.num_groups) if d < self.num_groups)
        repairs = tuple(SetValue(f"num_groups {d}", "num_groups", d) for d in fewer)
        return (*remarks, one_value(repairs if self.fixed_size in {None, inputs[0][0]} else ()))

    def needs_several_images(self, inputs: tuple[Shape, ...]) -> bool:
        # torch asks for two values in a group; counted over the batch, although it is normalised within an image.
        return math.prod(inputs[0]) == self.num_groups

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return whole(inputs[0])

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(inputs=(0,), num_bytes=STATISTICS_BYTES * self.num_groups)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceNorm2d(_ChannelNorm):
    """`torch.nn.InstanceNorm2d`: each channel normalised within each image (Ulyanov et al. 2016)."""

    size_name: ClassVar[str] = "num_features"
    summary: ClassVar[str] = "Brings each channel of each image to zero mean and unit variance."
    keywords: ClassVar[str] = "instance normalization normalisation style"

    num_features: int | None = follows(help="Channels that arrive; follows the input unless fixed.")
    eps: float = eps_field()
    momentum: float = real(0.1, minimum=0.0, maximum=1.0, step=0.01, help="Share of a new batch in the running mean.")
    affine: bool = flag(False, help="Learns a scale and a shift for each channel.")
    track_running_stats: bool = flag(False, help="Keeps a running mean and variance for evaluation.")

    @property
    def tracks(self) -> bool:
        return self.track_running_stats

    def wrong(self, inputs: tuple[Shape, ...]) -> str | None:
        if reason := not_maps(self.type_name, inputs[0]):
            return reason
        if inputs[0][1:] == (1, 1):
            return (
                "InstanceNorm2d needs more than one pixel a channel; received 1×1 maps; remove it, or pool less before"
            )
        return FixedChannels.wrong(self, inputs)

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return whole(inputs[0])

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # torch runs it as a batch norm of N·C channels, whose weights and running statistics it repeats for that.
        rows = STATISTICS_BYTES + 4 * self.affine + 8 * self.track_running_stats
        return Kept(inputs=(0,), num_bytes=rows * inputs[0][0])


def one_value(repairs: tuple[SetValue, ...]) -> Remark:
    """The remark that only one value is normalised at a time."""
    return Remark("warning", "one value is normalised by itself, so it is always 0 before scale and shift", repairs)
