"""In which numbers a run computes: chosen for its device, and what torch needs for it.

Mixed precision is `torch.autocast`, in training and in tests: convolutions and linear layers compute in 16 bits;
weights and what sums over many values stay in float32, and so does the loss (`step`). float16 reaches down to 6e-8
only, so that its loss is scaled against gradients that vanish (Micikevicius et al. 2018, section 3.2), in
`optimization`. What memory it takes, `explorer.inference.autocast` says. None of this ran on CUDA yet.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal, NamedTuple

import torch

from explorer.inference.schedule import Precision as MemoryPrecision

PrecisionName = Literal["float32", "tf32", "bfloat16", "float16"]
_SIXTEEN_BITS: dict[PrecisionName, torch.dtype] = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Precision(NamedTuple):
    """The numbers that a run computes in, on its device."""

    name: PrecisionName
    device: torch.device

    @property
    def is_mixed(self) -> bool:
        """Whether part of the network computes in 16 bits."""
        return self.name in _SIXTEEN_BITS

    @property
    def for_memory(self) -> MemoryPrecision:
        """What `inference.memory` calls it."""
        return "mixed" if self.is_mixed else "float32"

    @property
    def title(self) -> str:
        """As people write it: "TF32", "bfloat16"."""
        return "TF32" if self.name == "tf32" else self.name

    def autocast(self) -> AbstractContextManager[object]:
        """Where a network is to compute so; the loss and the way back stay outside."""
        if not self.is_mixed:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=_SIXTEEN_BITS[self.name])

    def scaler(self) -> torch.amp.GradScaler | None:
        """What scales the loss; None where nothing has to."""
        return torch.amp.GradScaler(self.device.type) if self.name == "float16" else None


def choose_precision(name: str, device: torch.device) -> Precision:
    """The precision of that name on a device, or the nearest that it has; `precision_note` says so.

    "auto" is bfloat16 on CUDA devices with units for it, and float32 elsewhere; a run may change its mind: on the CPU
    as it goes (`precision_choice`), on CUDA with the graph of its steps (`graphed`).

    Args:
        name: as in `RunConfig.precision`.
        device: where the network is.
    """
    if name == "auto":
        return Precision("bfloat16" if _computes_bfloat16(device) else "float32", device)
    if (name == "tf32" and device.type != "cuda") or device.type == "mps":
        return Precision("float32", device)
    chosen: dict[str, PrecisionName] = {"tf32": "tf32", "bfloat16": "bfloat16", "float16": "float16"}
    return Precision(chosen.get(name, "float32"), device)


def precision_note(name: str, chosen: Precision) -> str | None:
    """What the user should know of the choice, a sentence; None where it is float32 and nothing else was asked for.

    Args:
        name: what was asked for, as in `RunConfig.precision`.
        chosen: what it became.
    """
    if chosen.name == "float32":
        if name in ("auto", "float32"):
            return None
        return f"Computes in float32: {name} is not offered on {chosen.device.type}."
    if chosen.name == "tf32":
        return "Convolutions and linear layers multiply in TF32; everything is kept in float32."
    text = f"Mixed precision: convolutions and linear layers compute in {chosen.name}, weights and loss are in float32"
    if chosen.name == "float16":
        text += "; the loss is scaled, and an update whose gradients overflow for it is passed over"
    if chosen.device.type == "cpu":
        text += f". Most CPUs are slower in {chosen.name} than in float32"
    return f"{text}."


@contextmanager
def computing_in(precision: Precision) -> Iterator[None]:
    """Let what is float32 be multiplied in TF32 or not, as the precision wants it, and put torch's switches back.

    They are switches of the whole program, and torch's own choice is TF32 for convolutions alone. What mixed precision
    leaves in float32 may be multiplied in TF32 as well, which is finer than its 16 bits.
    """
    # torch has newer names for them, but refuses to tell the state by the older ones once these were used.
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = (matmul.allow_tf32, cudnn.allow_tf32)
    if precision.device.type != "cuda":
        yield
        return
    try:
        matmul.allow_tf32 = cudnn.allow_tf32 = precision.name != "float32"
        yield
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def _computes_bfloat16(device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    with torch.cuda.device(device):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
