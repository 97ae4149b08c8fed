"""A run of several processes as the window starts it: steered through files, and followed by its folder."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from explorer import zoo
from explorer.runs import (
    Event,
    FeatureMapsCaptured,
    LayersOpened,
    Look,
    Probe,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStore,
    StateChanged,
    StepsRecorded,
    WeightsCaptured,
    default_root,
)
from explorer.runs.follow_looks import ANSWER_NAMES, WATCH_NAME
from explorer.runs.launch import train_in_processes

CONFIG = RunConfig(device="cpu", processes=2, epochs=500, batch_size=64)


def launched(config: RunConfig, control: RunControl, emit: Callable[[Event], None]) -> threading.Thread:
    network = zoo.entry("lenet5").build()
    thread = threading.Thread(target=train_in_processes, args=(network, config, emit, control), name="training")
    thread.start()
    return thread


def test_a_run_of_two_processes_is_watched_paused_stepped_and_stopped_from_outside(own_home: Path) -> None:
    control, events = RunControl(), list[Event]()
    asked: list[str] = []
    square = Probe(label="a grey square", image=np.full((1, 28, 28), 200, np.uint8))
    control.watch(Look(maps=("conv1", "fc2"), opened=("fc2",), weighed=("conv1",), probes=(square,)))

    def has_come(kind: type[Event]) -> bool:
        return any(isinstance(event, kind) for event in events)

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, StepsRecorded) and not asked:
            asked.append("pause")
            control.set_learning_rate(0.005)
            control.pause()
        elif asked == ["pause"] and has_come(StateChanged) and has_come(FeatureMapsCaptured):
            asked.append("step")
            control.step_once()
        elif isinstance(event, StepsRecorded) and asked == ["pause", "step"]:
            asked.append("stop")
            control.stop()

    launched(CONFIG, control, listen).join(120)
    assert asked == ["pause", "step", "stop"], events
    assert isinstance(events[0], RunStarted)
    assert events[0].num_processes == 2
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert end.reason == "stopped"
    steps = [event for event in events if isinstance(event, StepsRecorded)]
    assert steps[-1].learning_rate == 0.005
    assert len(steps[-1].losses) == 1
    losses = np.concatenate([event.losses for event in steps])
    assert len(losses) == end.step
    with RunStore(default_root()) as store:
        (record,) = store.list()
        assert store.history(record.run_id).losses.tolist() == losses.tolist()
    assert (record.state, record.config.processes) == ("stopped", 2)
    maps = [event for event in events if isinstance(event, FeatureMapsCaptured)]
    assert {tuple(event.atlases) for event in maps} == {("conv1", "fc2")}
    assert {event.probe for event in maps} == {"a grey square"}
    # Those of the last weights among them, and of what the weights were before.
    assert maps[-1].step == end.step
    assert maps[0].atlases["conv1"].num_channels == 6
    assert (maps[0].atlases["conv1"].image != maps[-1].atlases["conv1"].image).any()
    # All else that was looked at, too, and under the weights that are kept.
    kept = load_file(record.weights_path)
    weighed = [event for event in events if isinstance(event, WeightsCaptured)]
    assert weighed[-1].step == end.step
    np.testing.assert_array_equal(weighed[-1].layers["conv1"].weight, kept["conv1.weight"])
    opened = [event for event in events if isinstance(event, LayersOpened)]
    assert opened[-1].step == end.step
    fc2 = opened[-1].layers["fc2"]
    by_hand = kept["fc2.weight"] @ fc2.inputs[0] + kept["fc2.bias"]
    np.testing.assert_allclose(fc2.output, by_hand, atol=1e-3 * float(np.abs(by_hand).max()))
    assert not {path.name for path in record.folder.iterdir()} & {WATCH_NAME, *ANSWER_NAMES.values()}
    assert record.weights_path.is_file()


def test_what_cannot_begin_says_why(own_home: Path) -> None:
    events: list[Event] = []
    launched(RunConfig(device="cuda:1", processes=2), RunControl(), events.append).join(120)
    (failed,) = events
    assert isinstance(failed, RunFailed)
    assert "--processes: received 2 with --device cuda:1; use auto or cpu" in failed.message


WINDOW = """
from explorer import zoo
from explorer.runs import RunConfig, RunControl, StepsRecorded
from explorer.runs.follow_looks import ANSWER_NAMES, WATCH_NAME
from explorer.runs.launch import train_in_processes

def emit(event):
    if isinstance(event, StepsRecorded):
        print(event.run_id, flush=True)

config = RunConfig(device="cpu", processes=2, epochs=500, batch_size=64)
train_in_processes(zoo.entry("lenet5").build(), config, emit, RunControl())
"""


def _living(home: Path) -> list[str]:
    """The processes that were started with this home."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            environment = (entry / "environ").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if f"ARCH_EXPLORER_HOME={home}".encode() in environment.split(b"\0"):
            found.append(entry.name)
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs to see the system's processes")
def test_a_killed_window_leaves_a_stopped_run_and_no_process(own_home: Path, tmp_path: Path) -> None:
    window = subprocess.Popen(
        [sys.executable, "-c", WINDOW],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    assert window.stdout is not None
    with window, window.stdout as said:
        run_id = said.readline().strip()
        assert len(_living(own_home)) >= 4  # the window, torchrun and its two
        window.send_signal(signal.SIGKILL)
    # Each of them has ended before the system forgets it; what is left of the run is looked at then.
    pause = threading.Event()
    for _ in range(1200):
        if not _living(own_home):
            break
        pause.wait(0.05)
    assert not _living(own_home)
    with RunStore(default_root()) as store:
        record = store.get(run_id)
        history = store.history(run_id)
    assert record.state == "stopped"
    assert record.step == len(history.losses) > 0
    assert np.isfinite(history.losses).all()
    assert load_file(record.weights_path)["conv1.weight"].shape == (6, 1, 5, 5)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("arch-explorer-processes-")] == []
