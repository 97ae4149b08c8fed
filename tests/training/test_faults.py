"""What breaks around a run while it goes: the disk fills up, the device is lost, and what of the run is kept then."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from explorer.runs import (
    EpochFinished,
    Event,
    RunControl,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStore,
    StateChanged,
    StepsRecorded,
    TroubleMet,
)
from explorer.runs.checkpoints import checkpoint_place, newest_checkpoint
from explorer.runtime.weights import load_weights
from explorer.training import load_data
from explorer.training import step as step_module
from explorer.training.data import loading
from explorer.training.loop import train
from explorer.training.random_state import resume_generator
from explorer.training.recorded import resume_recorded, train_recorded
from tests.small_disk import fill, free, small_disk
from tests.training.test_resume import RECIPE, begin, measured, network, small_digits, unbroken

NUM_STEPS = 18


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(loading._kept, ("digits", None), load_data("digits"))
    small_digits()


def test_a_full_disk_costs_nothing_that_was_kept_or_measured(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 3) as disk:
        events: list[Event] = []
        while_full: list[tuple[int, int]] = []

        def fill_and_free(event: Event) -> None:
            events.append(event)
            if isinstance(event, StepsRecorded) and event.first_step <= 7 <= event.last_step:
                fill(disk)
            elif isinstance(event, EpochFinished) and event.epoch == 3:
                (run,) = disk.glob("runs/*/checkpoint-*")
                while_full.append(checkpoint_place(run))
                assert load_weights(run / "weights.safetensors")
                assert load_weights(run.parent / "weights.safetensors")
                free(disk)

        result = train_recorded(network(), RECIPE, fill_and_free, RunControl(), root=disk / "runs")
        assert isinstance(result, RunFinished)
        troubles = [event.message for event in events if isinstance(event, TroubleMet)]
        weights = next(text for text in troubles if "after step 12 could not be written" in text)
        assert "No space left on device" in weights
        assert "the run goes on and tries again" in weights
        assert "free some space on that disk" in weights
        record = next(text for text in troubles if "The run cannot be recorded" in text)
        assert "free some space on that disk" in record
        assert "kept in memory until it can be" in record
        assert while_full == [(6, 2)], "the state after the first epoch stays whole while the disk is full"
        with RunStore(disk / "runs") as store:
            (run,) = store.list()
            assert run.state == "completed"
            losses = measured(store, run.run_id)
            newest = newest_checkpoint(run.folder)
        assert newest is not None
        assert checkpoint_place(newest) == (NUM_STEPS, 4)
    assert losses == unbroken(RECIPE, tmp_path)


_LIMITED = """
import resource, sys
from pathlib import Path
from explorer.runs import EpochFinished, RunControl, TroubleMet
from explorer.runs.checkpoints import newest_checkpoint
from explorer.runtime.weights import load_weights
from explorer.training.recorded import train_recorded
from tests.training.test_resume import RECIPE, network, small_digits
small_digits()
def limit(num_bytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, resource.RLIM_INFINITY))
def emit(event):
    if isinstance(event, TroubleMet):
        print(event.message)
    if isinstance(event, EpochFinished) and event.epoch == 2:
        limit(200_000)
    if isinstance(event, EpochFinished) and event.epoch == 3:
        (run,) = Path(sys.argv[1]).glob("2*")
        print(newest_checkpoint(run).name, len(load_weights(run / "weights.safetensors")))
        limit(resource.RLIM_INFINITY)
print(type(train_recorded(network(), RECIPE, emit, RunControl(), root=Path(sys.argv[1]))).__name__)
"""


def test_files_that_may_not_grow_cost_no_checkpoint(tmp_path: Path) -> None:
    # A limit on the size of files holds for a whole process, so in a process of its own.
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(tmp_path)], capture_output=True, text=True, check=True, timeout=120
    )
    # The store's own journal may meet the limit too, which is told beside it.
    *troubles, kept, end = done.stdout.splitlines()
    (trouble,) = [text for text in troubles if "weights" in text]
    assert "after step 12 could not be written: File too large; the run goes on" in trouble
    assert "raise the limit on the size of files" in trouble
    assert kept.split() == ["checkpoint-000000006-000002", str(len(network_weights()))]
    assert end == "RunFinished"


def network_weights() -> list[str]:
    from explorer.runtime.modules import build_module

    return list(build_module(network(), seed=0).state_dict())


LOST = (
    torch.AcceleratorError("CUDA error: unspecified launch failure\nCUDA kernel errors might be reported later"),
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
)


def break_at(monkeypatch: pytest.MonkeyPatch, step: int, error: Exception) -> None:
    """Let that step raise, and all before it work."""
    works = vars(step_module.Step)["__call__"]
    made = 0

    def breaks(self: step_module.Step, *arguments: object) -> object:
        nonlocal made
        made += 1
        if made == step:
            raise error
        return works(self, *arguments)

    monkeypatch.setattr(step_module.Step, "__call__", breaks)


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_a_lost_device_is_told_with_what_is_kept_and_the_run_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    expected = unbroken(RECIPE, tmp_path)
    break_at(monkeypatch, 9, error)
    with RunStore(tmp_path / "runs") as store:
        run_id = begin(store, RECIPE)
        result = train(network(), RECIPE, lambda _: None, RunControl(), run_id=run_id, store=store)
        assert isinstance(result, RunFailed)
        first_line = str(error).splitlines()[0]
        assert result.message == (
            f"step 9: cpu no longer answers ({first_line}); the state after step 6 is kept: resume the run on the CPU, "
            "or on that device after restarting the program"
        )
        assert result.lost_device == "cpu"
        assert result.checkpoint == str(store.get(run_id).weights_path)
        assert store.get(run_id).can_resume
        resumed = resume_recorded(run_id, lambda _: None, RunControl(), root=store.root, device="cpu")
        assert isinstance(resumed, RunFinished)
        assert measured(store, run_id) == expected


def test_a_device_that_is_lost_before_anything_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_at(monkeypatch, 2, LOST[0])
    with RunStore(tmp_path) as store:
        run_id = begin(store, RECIPE)
        result = train(network(), RECIPE, lambda _: None, RunControl(), run_id=run_id, store=store)
        assert isinstance(result, RunFailed)
        assert "nothing is kept yet: start again on the CPU" in result.message
        assert result.checkpoint is None
        assert not store.get(run_id).can_resume


def test_the_order_of_images_goes_on_where_its_generator_is_of_another_device() -> None:
    generator = torch.Generator().manual_seed(3)
    state = generator.get_state()
    expected = torch.randperm(9, generator=generator).tolist()
    other = torch.Generator()
    resume_generator(other, state, 5)
    assert torch.randperm(9, generator=other).tolist() == expected
    # What a CUDA generator gives: 16 bytes.
    resume_generator(other, torch.zeros(16, dtype=torch.uint8), 5)
    seeded = torch.Generator().manual_seed(5)
    assert torch.randperm(9, generator=other).tolist() == torch.randperm(9, generator=seeded).tolist()


def test_the_time_of_an_epoch_leaves_pauses_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.training import reports
    from explorer.training import run as run_module

    class Clock:
        """Stands still but for what it is told."""

        now = 100.0

        def perf_counter(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(run_module, "time", clock)
    monkeypatch.setattr(reports, "time", clock)
    control = RunControl()
    epochs: list[EpochFinished] = []

    def pause(event: Event) -> None:
        if isinstance(event, RunStarted):
            control.pause()
        elif isinstance(event, StateChanged) and event.state == "paused":
            clock.now += 1000.0
            control.resume()
        elif isinstance(event, StepsRecorded):
            clock.now += 1.0
        elif isinstance(event, EpochFinished):
            epochs.append(event)

    result = train(network(), RECIPE, pause, control, run_id="r")
    assert isinstance(result, RunFinished)
    assert [epoch.seconds < 1000 for epoch in epochs] == [True] * 3
    assert all(epoch.seconds > 0 for epoch in epochs)
    assert result.seconds > 1000, "that of the run is wall-clock time"
