"""The memory of a network as `summary` says it: for which training, what it takes, and whether a device has it."""

import argparse
import re
from typing import Any, NamedTuple, cast

from explorer.architecture import Architecture
from explorer.cli.parser import UserMistake
from explorer.cli.table import binary_size
from explorer.inference import Inference
from explorer.inference.memory import OPTIMIZERS, Memory, largest_batch, memory
from explorer.inference.schedule import Precision

MOMENTUM = 0.9
"""What `train` takes unless it is told otherwise; its settings cannot be asked here, since they bring numpy along."""
PRECISIONS: tuple[Precision, ...] = ("float32", "mixed", "bfloat16")
_PART_NAMES = {
    "weights": "weights",
    "buffers": "buffers",
    "optimizer": "optimizer state",
    "gradients": "gradients",
    "saved": "kept for backward",
    "temporary": "outputs and gradients on their way",
}


class DeviceFit(NamedTuple):
    """A device's memory, and what of the training it takes."""

    device: str
    total_bytes: int
    available_bytes: int
    largest_batch: int
    """0: not even one image fits."""


class Estimate(NamedTuple):
    """The memory of a network and what it was worked out for."""

    batch_size: int
    optimizer: str
    momentum: float
    precision: Precision
    memory: Memory
    fit: DeviceFit | None
    """None if no device was asked about."""


def add_memory_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that memory depends on."""
    parser.add_argument(
        "--optimizer", metavar="|".join(OPTIMIZERS), default=OPTIMIZERS[0], help=f"for the memory ({OPTIMIZERS[0]})"
    )
    parser.add_argument("--momentum", metavar="X", default=str(MOMENTUM), help=f"of SGD and RMSprop ({MOMENTUM})")
    parser.add_argument(
        "--precision", metavar="|".join(PRECISIONS), default=PRECISIONS[0], help=f"for the memory ({PRECISIONS[0]})"
    )
    parser.add_argument(
        "--device", metavar="auto|cpu|cuda|cuda:N|mps", help="say whether training fits there; asks torch for it"
    )


def estimate_memory(
    architecture: Architecture, inference: Inference, batch_size: int, options: argparse.Namespace
) -> Estimate:
    """The memory for the options.

    Raises:
        UserMistake: an option's value cannot be, or there is no such device.
    """
    optimizer, precision = options.optimizer, options.precision
    if optimizer not in OPTIMIZERS:
        raise UserMistake(f"--optimizer: received {optimizer!r}; use {_or(OPTIMIZERS)}")
    if precision not in PRECISIONS:
        raise UserMistake(f"--precision: received {precision!r}; use {_or(PRECISIONS)}")
    momentum = _momentum(options.momentum)
    chosen = cast(Precision, precision)
    found = memory(
        architecture, inference, batch_size=batch_size, optimizer=optimizer, momentum=momentum, precision=chosen
    )
    fit = None
    if options.device is not None:
        device, total, available = _device_memory(options.device)
        most = largest_batch(
            architecture, inference, available, optimizer=optimizer, momentum=momentum, precision=chosen
        )
        fit = DeviceFit(device, total, available, most)
    return Estimate(batch_size, optimizer, momentum, chosen, found, fit)


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _momentum(text: str) -> float:
    if not re.fullmatch(r"[0-9]{0,3}\.?[0-9]{1,9}", text) or not 0 <= float(text) < 1:
        raise UserMistake(f"--momentum: received {text!r}; use a number from 0 to below 1")
    return float(text)


def _device_memory(name: str) -> tuple[str, int, int]:
    from explorer.runtime import threads

    threads.prepare()
    from explorer.runtime.devices import device_memory

    try:
        return device_memory(name)
    except ValueError as error:
        raise UserMistake(f"--{error}") from error


def memory_to_plain(estimate: Estimate) -> dict[str, Any]:
    """The estimate as JSON data; bytes are for the whole batch."""
    found, fit = estimate.memory, estimate.fit
    plain: dict[str, Any] = {
        "batch_size": estimate.batch_size,
        "optimizer": estimate.optimizer,
        "momentum": estimate.momentum,
        "precision": estimate.precision,
        "weights_bytes": found.weights_bytes,
        "buffers_bytes": found.buffers_bytes,
        "gradient_bytes": found.gradient_bytes,
        "optimizer_bytes": found.optimizer_bytes,
        "saved_bytes": found.saved_bytes,
        "training_bytes": found.training_bytes,
        "training_peak": {
            "node": found.peak_node,
            "when": found.peak_when,
            **{f"{name}_bytes": num_bytes for name, num_bytes in found.peak_parts},
        },
        "inference_bytes": found.inference_bytes,
        "inference_peak": {"node": found.inference_node},
        "complete": found.complete,
        "device": None,
    }
    if fit is not None:
        plain["device"] = {**fit._asdict(), "fits": estimate.batch_size <= fit.largest_batch}
    return plain


def memory_lines(estimate: Estimate) -> list[str]:
    """The estimate in lines for a terminal."""
    found = estimate.memory
    images = "1 image" if estimate.batch_size == 1 else f"{estimate.batch_size:,} images"
    momentum = f" (momentum {estimate.momentum:g})" if estimate.optimizer in ("sgd", "rmsprop") else ""
    parts = ", ".join(
        f"{_PART_NAMES[name]} {binary_size(num_bytes)}" for name, num_bytes in found.peak_parts if num_bytes
    )
    peak = found.peak_when if found.peak_node is None else f"{found.peak_when} pass at {found.peak_node}"
    passing = "" if found.inference_node is None else f", most at {found.inference_node}"
    lines = [
        f"training     {binary_size(found.training_bytes)} for {images}, {estimate.optimizer}{momentum}, "
        f"{estimate.precision}; most in the {peak}:",
        f"             {parts}",
        f"inference    {binary_size(found.inference_bytes)} for {images}, {estimate.precision}{passing}",
        "             Both are sums of tensors; workspaces of torch's libraries come on top, and mixed is an estimate.",
    ]
    if estimate.fit is not None:
        lines.append(_fit_line(estimate, estimate.fit))
    return lines


def _fit_line(estimate: Estimate, fit: DeviceFit) -> str:
    there = f"{binary_size(fit.available_bytes)} of {binary_size(fit.total_bytes)} available"
    if not fit.largest_batch:
        verdict = "training does not fit, not even with one image"
    elif estimate.batch_size <= fit.largest_batch:
        verdict = f"training fits; the largest batch is {fit.largest_batch:,}"
    else:
        verdict = f"training does not fit; the largest batch is {fit.largest_batch:,}"
    return f"{fit.device:12} {there}: {verdict}"
