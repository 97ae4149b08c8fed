"""Where a run computes, in words: the device, how many processes share the work, and how well that goes."""

import re

from PySide6.QtCore import QCoreApplication

from explorer.look import numbers
from explorer.runs import RunStarted, StepsRecorded
from explorer.runs.scaling import scaling_efficiency

_OWN_GPU = re.compile(r" \(cuda:\d+\)$")
_OWN_THREADS = re.compile(r", \d+ threads?$")
"""The ends of a GPU's and a CPU's name, see `runtime.devices.device_name`; of the first process alone."""


def place_words(device: str, started: RunStarted | None, steps: StepsRecorded | None) -> str:
    """Of a run: "2 GPUs (NVIDIA H200), efficiency 93 %"; for one process the device as it is.

    Args:
        device: as it would be shown for one process.
        started: how the run began; None before.
        steps: the last ones.
    """
    if started is None or started.num_processes < 2:
        return device
    count = started.num_processes
    if (name := _OWN_GPU.sub("", device)) != device:
        text = _tr("{count} GPUs ({name})").format(count=count, name=name)
    else:
        text = _tr("{device}, {count} processes").format(device=_OWN_THREADS.sub("", device), count=count)
    efficiency = None if steps is None else scaling_efficiency(started, steps.images_per_second)
    if efficiency is None:
        return text
    return _tr("{where}, efficiency {share}").format(where=text, share=numbers.percent(efficiency, 0))


def place_tip(started: RunStarted | None) -> str:
    """What the efficiency is compared with; empty for one process."""
    alone = None if started is None else started.images_per_second_alone
    if started is None or alone is None:
        return ""
    return _tr(
        "{count} processes together, compared with {count} times what one reached alone: {rate} images/s. That was "
        "measured before the first step, while the others waited: whole training steps on a copy of the network, with "
        "the images of this run and as many a step as each process has here."
    ).format(count=started.num_processes, rate=numbers.exact_count(alone))


def _tr(text: str) -> str:
    return QCoreApplication.translate("place_words", text)
