"""Several processes train one run: the numbers are those of one process, and one that dies breaks nothing.

The processes are real ones that find each other as `torchrun` lets them, on the CPU.
"""

import contextlib
import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.runs import (
    EpochFinished,
    Event,
    RunConfig,
    RunControl,
    RunFinished,
    RunHistory,
    RunRecord,
    RunStarted,
    RunStore,
    StepsRecorded,
)
from explorer.runs.follow import Follower
from explorer.training.data import loading
from explorer.training.distributed import ALONE, is_first, is_one_of_several, scaled
from explorer.training.recorded import resume_recorded, train_recorded
from tests.training.distributed_worker import keep_few_digits, network

SMALL = RunConfig(device="cpu", epochs=2, batch_size=33, learning_rate=0.05)
"""150 images make four steps of 33 and one of 18 an epoch, which two processes share evenly or not."""


@pytest.fixture(autouse=True)
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of the data set in memory is as it was after each test."""
    monkeypatch.setattr(loading, "_kept", loading._kept.copy())


class Processes:
    """Two that train each of the runs together; killed at the latest when the test ends."""

    def __init__(self, root: Path, *runs: tuple[str, RunConfig]) -> None:
        jobs = [text for name, config in runs for text in (name, json.dumps(config.to_plain()), str(free_port()))]
        self.all = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.training.distributed_worker", str(root), *jobs],
                env=os.environ
                | {"MASTER_ADDR": "127.0.0.1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
                | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]

    def wait(self) -> list[tuple[int, str, str]]:
        """Exit status, standard output and standard error of each."""
        said = [process.communicate(timeout=90) for process in self.all]
        return [(process.returncode, *texts) for process, texts in zip(self.all, said, strict=True)]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def processes(*arguments: Any) -> Iterator[Processes]:
    started = Processes(*arguments)
    try:
        yield started
    finally:
        for process in started.all:
            process.kill()
            process.communicate()


def alone(root: Path, name: str, config: RunConfig) -> RunHistory:
    """The same run by this process."""
    result = train_recorded(network(name), config, lambda _: None, RunControl(), root=root)
    assert isinstance(result, RunFinished)
    return kept(root, result.run_id)[1]


def kept(root: Path, run_id: str) -> tuple[RunRecord, RunHistory]:
    with RunStore(root) as store:
        return store.get(run_id), store.history(run_id)


def assert_equal(one: RunHistory, several: RunHistory) -> None:
    assert several.steps.tolist() == one.steps.tolist() == list(range(1, 11))
    np.testing.assert_allclose(several.losses, one.losses, rtol=2e-4)
    np.testing.assert_allclose(several.accuracies, one.accuracies, atol=1e-6)
    for ours, theirs in zip(several.epochs, one.epochs, strict=True):
        assert ours.test_accuracy == theirs.test_accuracy
        assert ours.train_accuracy == theirs.train_accuracy
        np.testing.assert_allclose(ours.test_loss, theirs.test_loss, rtol=2e-4)


def test_two_processes_have_the_losses_of_one_and_whoever_follows_sees_all(tmp_path: Path) -> None:
    runs = [
        ("lenet5", dataclasses.replace(SMALL, clip_norm=2.0, augmentation="flip,crop:2,mixup:0.2")),
        # With batch norm and an auxiliary head.
        ("norms", dataclasses.replace(SMALL, sync_batchnorm=True)),
    ]
    with processes(tmp_path / "two", *runs) as together:
        ends = together.wait()
    assert [end[0] for end in ends] == [0, 0], ends
    keep_few_digits()
    for run, run_id in zip(runs, ends[0][1].split(), strict=True):
        record, two = kept(tmp_path / "two", run_id)
        assert_equal(alone(tmp_path / "one", *run), two)
        assert (record.state, record.config.batch_size) == ("completed", 33)
        seen: list[Event] = Follower(record.folder).poll()
        losses = np.concatenate([event.losses for event in seen if isinstance(event, StepsRecorded)])
        assert losses.tolist() == two.losses.tolist()
        (started,) = (event for event in seen if isinstance(event, RunStarted))
        assert started.num_processes == 2
        assert (started.images_per_second_alone or 0) > 0


def test_a_killed_process_is_reported_and_the_run_can_go_on_alone(tmp_path: Path) -> None:
    config = dataclasses.replace(SMALL, epochs=20_000)
    with processes(tmp_path, ("lenet5-relu-dropout", config)) as together:
        follower, events = None, list[Event]()
        while not any(isinstance(event, StepsRecorded) and event.epoch > 2 for event in events):
            assert all(process.poll() is None for process in together.all)
            folder = next(tmp_path.glob("2*/events.jsonl"), None)
            if folder is not None:
                follower = follower or Follower(folder.parent)
                events += follower.poll()
        together.all[1].send_signal(signal.SIGKILL)
        status, _, said = together.wait()[0]
    assert status == 1
    assert "another of the 2 processes ended" in said
    assert follower is not None
    follower.poll()
    assert follower.status().state == "failed"
    run_id = follower.folder.name
    record, before = kept(tmp_path, run_id)
    assert record.state == "failed"
    assert re.search(r"another of the 2 processes ended .* resume the run from there", record.message or "")

    keep_few_digits()
    control = RunControl()
    seen: list[Event] = []

    def listen(event: Event) -> None:
        seen.append(event)
        if isinstance(event, EpochFinished) and event.step > before.steps[-1]:
            control.stop()

    assert isinstance(resume_recorded(run_id, listen, control, root=tmp_path), RunFinished)
    (began,) = (event for event in seen if isinstance(event, RunStarted))
    assert began.resumed_step >= 10
    whole = kept(tmp_path, run_id)[1]
    assert whole.steps.tolist() == list(range(1, len(whole.steps) + 1))


def test_the_linear_rule() -> None:
    config = RunConfig(batch_size=64, learning_rate=0.1)
    assert scaled(config, 4) == config
    grown = scaled(dataclasses.replace(config, scale_with_processes=True), 4)
    assert grown.batch_size == 256
    assert grown.learning_rate == pytest.approx(0.4)
    too_large = dataclasses.replace(config, scale_with_processes=True, batch_size=65_536)
    with pytest.raises(ValueError, match="batch_size: 131072 for 2 processes; at most 65536 fits"):
        scaled(too_large, 2)


def test_one_process_is_the_usual_case(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_one_of_several()
    assert is_first()
    assert ALONE.part(range(5)) == range(5)
    assert ALONE.summed(None) is None
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert is_one_of_several()
    assert not is_first()
