"""Several processes train one run: the numbers are those of one process, and one that dies breaks nothing.

The processes are real ones that find each other as `torchrun` lets them, on the CPU.
"""

import dataclasses
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.runs import (
    EpochFinished,
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunHistory,
    RunRecord,
    RunStarted,
    RunStore,
    StepsRecorded,
)
from explorer.runs.class_files import kept_epochs, read_test
from explorer.runs.follow import Follower
from explorer.runtime.modules import build_module
from explorer.runtime.weights import load_weights
from explorer.training import plan_run
from explorer.training.data import loading
from explorer.training.distributed import ALONE, Alone, is_first, is_one_of_several, scaled
from explorer.training.feed import Feed
from explorer.training.loop import train
from explorer.training.recorded import resume_recorded, train_recorded
from tests.training.distributed_worker import keep_few_digits, network

SMALL = RunConfig(device="cpu", epochs=2, batch_size=33, learning_rate=0.05)
"""150 images make four steps of 33 and one of 18 an epoch, which two processes share evenly or not."""
LIKE_ONE = (
    ("lenet5", dataclasses.replace(SMALL, clip_norm=2.0, augmentation="flip,crop:2,mixup:0.2")),
    # With batch norm and an auxiliary head.
    ("norms", dataclasses.replace(SMALL, sync_batchnorm=True)),
)
NORMS_APART = ("norms", SMALL)
DIVERGING = ("norms", dataclasses.replace(SMALL, learning_rate=100.0, sync_batchnorm=True))
DROPPING = ("lenet5-relu-dropout", dataclasses.replace(SMALL, batch_size=10, augmentation="flip,mixup:0.2"))
ENDLESS = ("lenet5-relu-dropout", dataclasses.replace(SMALL, epochs=20_000))


@pytest.fixture(autouse=True)
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of the data set in memory is as it was after each test."""
    monkeypatch.setattr(loading, "_kept", loading._kept.copy())


class Together(NamedTuple):
    """What two processes left behind that trained one run after the other, until one of them was killed."""

    root: Path
    """Of their store."""
    run_ids: list[str]
    """Of the runs that ended."""
    killed: Follower
    """Of the one that did not."""
    ends: list[tuple[int, str]]
    """Exit status and standard error of each process."""


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    """One start for all, since that takes longer than the runs: three runs, one whole and one broken off and taken up
    again, and one without end, in which the second process is killed."""
    root = tmp_path_factory.mktemp("together")
    whole = [(*run, "") for run in (*LIKE_ONE, NORMS_APART)]
    runs = [*whole, (*DROPPING, ""), (*DROPPING, free_port()), (*ENDLESS, "")]
    started = start(root, runs)
    try:
        output = started[0].stdout
        assert output is not None
        run_ids = [output.readline().strip() for _ in runs[:-1]]
        killed = _endless(root, run_ids, started)
        started[1].send_signal(signal.SIGKILL)
        said = [process.communicate(timeout=90)[1] for process in started]
        yield Together(root, run_ids, killed, [(p.returncode, text) for p, text in zip(started, said, strict=True)])
    finally:
        for process in started:
            process.kill()
            process.communicate()


def start(root: Path, runs: Sequence[tuple[str, RunConfig, str]]) -> list["subprocess.Popen[str]"]:
    """Two processes that train these runs: networks, configurations, and a port where it is broken off in between."""
    jobs = [
        text for name, config, second in runs for text in (name, json.dumps(config.to_plain()), free_port(), second)
    ]
    return [
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


def _endless(root: Path, others: list[str], started: list["subprocess.Popen[str]"]) -> Follower:
    """The follower of the run that is none of the others, once that is in its third epoch."""
    follower, events = None, list[Event]()
    while not any(isinstance(event, StepsRecorded) and event.epoch > 2 for event in events):
        assert all(process.poll() is None for process in started), [p.communicate() for p in started]
        folders = [path.parent for path in root.glob("2*/events.jsonl") if path.parent.name not in others]
        if folders:
            follower = follower or Follower(folders[0])
            events += follower.poll()
    assert follower is not None
    return follower


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


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


def test_two_processes_have_the_losses_of_one_and_whoever_follows_sees_all(together: Together, tmp_path: Path) -> None:
    keep_few_digits()
    for run, run_id in zip(LIKE_ONE, together.run_ids[:2], strict=True):
        record, two = kept(together.root, run_id)
        assert_equal(alone(tmp_path, *run), two)
        assert (record.state, record.config.batch_size) == ("completed", 33)
        seen: list[Event] = Follower(record.folder).poll()
        losses = np.concatenate([event.losses for event in seen if isinstance(event, StepsRecorded)])
        assert losses.tolist() == two.losses.tolist()
        (started,) = (event for event in seen if isinstance(event, RunStarted))
        assert started.num_processes == 2
        assert (started.images_per_second_alone or 0) > 0


def test_all_processes_test_with_the_statistics_that_are_kept(together: Together) -> None:
    """Each process's norms have statistics of its own share, and one process's are the run's."""
    keep_few_digits()
    name, config = NORMS_APART
    record, history = kept(together.root, together.run_ids[2])
    plan = plan_run(network(name), config)
    module = build_module(plan.architecture, seed=1)
    module.load_state_dict(load_weights(record.weights_path))
    feed = Feed(
        plan.data.test_images, plan.data.test_labels, plan.architecture.input_shape, plan.normalization, plan.device
    )
    x, target = feed.batch(slice(0, len(feed)))
    with torch.no_grad():
        logits = module.eval()(x)[0]
    assert history.epochs[-1].test_loss == pytest.approx(float(F.cross_entropy(logits, target)), rel=1e-5)


def test_a_run_that_was_stopped_within_an_epoch_goes_on_to_the_last_bit(together: Together) -> None:
    whole, broken = (kept(together.root, run_id)[1] for run_id in together.run_ids[3:])
    resumed = [event for event in Follower(together.root / together.run_ids[4]).poll() if isinstance(event, RunStarted)]
    # Of 15 steps an epoch; with dropout and augmentation in both processes.
    assert resumed[1].resumed_step % 15 != 0
    assert broken.steps.tolist() == whole.steps.tolist() == list(range(1, 31))
    assert broken.losses.tolist() == whole.losses.tolist()
    assert [epoch.test_loss for epoch in broken.epochs] == [epoch.test_loss for epoch in whole.epochs]


def test_a_killed_process_is_reported_and_the_run_can_go_on_alone(together: Together) -> None:
    status, said = together.ends[0]
    assert status == 1
    assert "another of the 2 processes ended" in said
    follower, root = together.killed, together.root
    follower.poll()
    assert follower.status().state == "failed"
    run_id = follower.folder.name
    record, before = kept(root, run_id)
    assert record.state == "failed"
    assert re.search(r"another of the 2 processes ended .* resume the run from there", record.message or "")

    keep_few_digits()
    control = RunControl()
    seen: list[Event] = []

    def listen(event: Event) -> None:
        seen.append(event)
        if isinstance(event, EpochFinished) and event.step > before.steps[-1]:
            control.stop()

    assert isinstance(resume_recorded(run_id, listen, control, root=root), RunFinished)
    (began,) = (event for event in seen if isinstance(event, RunStarted))
    assert began.resumed_step >= 10
    whole = kept(root, run_id)[1]
    assert whole.steps.tolist() == list(range(1, len(whole.steps) + 1))


def test_a_loss_that_is_no_number_is_what_the_run_says_and_not_that_a_process_ended(tmp_path: Path) -> None:
    started = start(tmp_path, [(*DIVERGING, "")])
    said = [process.communicate(timeout=90)[1] for process in started]
    assert [process.returncode for process in started] == [1, 1]
    with RunStore(tmp_path) as store:
        (record,) = store.list()
    assert record.state == "failed"
    for text in (said[0], record.message or ""):
        assert re.search(r"step \d+: the loss became (nan|inf)", text), said
        assert "use a learning_rate below 100" in text


class _Second(Alone):
    """A process beside the first one, but that nobody is there."""

    rank = 1


@pytest.mark.parametrize("ranks", [ALONE, _Second()], ids=["first", "second"])
@pytest.mark.parametrize("looks_at_each_step", [True, False], ids=["cpu", "like a gpu"])
def test_whoever_sees_first_that_a_loss_is_no_number_leaves_it_to_the_first_process_to_say_so(
    ranks: Alone, looks_at_each_step: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_few_digits()
    if not looks_at_each_step:
        # On a GPU losses are looked at in reports alone, when a process's own clock says so.
        blind = SimpleNamespace(inf=math.inf, isfinite=lambda _value: True)
        monkeypatch.setattr("explorer.training.run.math", blind)
    name, config = DIVERGING
    result = train(network(name), config, lambda _event: None, RunControl(), run_id="r", ranks=ranks)
    if ranks.is_first or looks_at_each_step:
        assert isinstance(result, RunFailed)
        assert "the loss became" in result.message
    else:
        assert isinstance(result, RunFinished), "it goes on until the first process leaves"


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


def test_the_answers_to_all_test_images_are_together(together: Together) -> None:
    for run_id in together.run_ids:
        record, history = kept(together.root, run_id)
        assert kept_epochs(record.folder) == (1, 2)
        for epoch in history.epochs:
            tested = read_test(record.folder, epoch.epoch).tested
            assert tested.num_right / tested.count == pytest.approx(epoch.test_accuracy, abs=1e-12)
            # Half of the images are the other process's, whose answers are no zeros.
            assert (tested.probabilities >= 1 / 10).all()
