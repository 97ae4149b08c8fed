"""The moments that a run keeps: what they hold, that they cost no bit and little time, and what goes wrong beside."""

import dataclasses
import itertools
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer import zoo
from explorer.architecture import Project, files
from explorer.runs import (
    Event,
    FeatureMapsCaptured,
    Look,
    Probe,
    RunConfig,
    RunControl,
    RunFinished,
    RunStore,
    StepsRecorded,
    TroubleMet,
    WeightsCaptured,
)
from explorer.runs.looks import Pixel
from explorer.runs.moments import FOLDER_NAME, MomentStore, kept_moments, read_moment
from explorer.runs.moments_packing import RELATIVE_ERROR, Moment
from explorer.runs.moments_total import give_up_oldest
from explorer.runs.observed import ChannelCompared, FieldMeasured
from explorer.runtime.instruments import Instrument, Subject
from explorer.runtime.modules import build_module
from explorer.training import DataSet, train
from explorer.training import moments as moments_module
from explorer.training.moments import CPU_SHARE, CREDIT_S, MomentRecorder
from tests.small_disk import fill, small_disk

CONFIG = RunConfig(epochs=3, batch_size=16, threads=1)
NETWORK = zoo.entry("lenet5-relu-dropout").build()


def run(
    root: Path, moments_bytes: int, *, control: RunControl | None = None, config: RunConfig = CONFIG
) -> tuple[list[Event], Path]:
    """The events of a run, and its folder."""
    events: list[Event] = []
    with RunStore(root) as store:
        record = store.create(config, "n", files.dumps(Project(architecture=NETWORK, sections={})), {})
        train(
            NETWORK,
            config,
            events.append,
            control or RunControl(),
            run_id=record.run_id,
            store=store,
            moments_bytes=moments_bytes,
        )
    assert isinstance(events[-1], RunFinished), events[-1]
    return events, record.folder


def losses(events: Sequence[Event]) -> np.ndarray:
    return np.concatenate([event.losses for event in events if isinstance(event, StepsRecorded)])


def steps(folder: Path) -> list[int]:
    return [moment.step for moment in kept_moments(folder)]


@pytest.mark.usefixtures("few_digits")
def test_no_bit_of_a_loss_depends_on_moments(tmp_path: Path) -> None:
    with_moments, folder = run(tmp_path / "a", 1 << 26)
    without, bare = run(tmp_path / "b", 0)
    assert len(steps(folder)) >= 4
    np.testing.assert_array_equal(losses(with_moments), losses(without))
    assert not (bare / FOLDER_NAME).exists()


@pytest.mark.usefixtures("few_digits")
def test_the_first_and_the_last_step_are_kept_with_all_layers(tmp_path: Path) -> None:
    _, folder = run(tmp_path, 1 << 26)
    kept = steps(folder)
    assert (kept[0], kept[-1]) == (0, 18)
    for step in (0, 18):
        events = {type(event): event for event in read_moment(folder, step)}
        maps = events[FeatureMapsCaptured]
        assert isinstance(maps, FeatureMapsCaptured)
        assert list(maps.atlases) == [node.id for node in NETWORK.nodes]
        assert {event.step for event in events.values()} == {step}


@pytest.mark.usefixtures("few_digits")
def test_weights_of_the_first_moment_are_those_that_the_seed_gives(tmp_path: Path) -> None:
    _, folder = run(tmp_path, 1 << 26)
    expected = build_module(NETWORK, seed=CONFIG.seed).state_dict()
    (weights,) = [event for event in read_moment(folder, 0) if isinstance(event, WeightsCaptured)]
    assert "conv1" in weights.layers
    for node_id, layer in weights.layers.items():
        tensor = expected[f"{node_id}.weight"].numpy()
        np.testing.assert_allclose(layer.weight, tensor, rtol=0, atol=RELATIVE_ERROR * float(np.abs(tensor).max()))


@pytest.mark.usefixtures("few_digits")
def test_moments_are_of_the_image_that_the_window_looks_at(tmp_path: Path, few_digits: DataSet) -> None:
    control = RunControl()
    image = few_digits.test_images[5].numpy()
    control.watch(Look(probes=(Probe(label="mine", image=image),)))
    _, folder = run(tmp_path, 1 << 26, control=control)
    (maps,) = [event for event in read_moment(folder, 18) if isinstance(event, FeatureMapsCaptured)]
    assert maps.probe == "mine"


def test_what_is_measured_where_somebody_looks_is_in_the_moments_and_costs_no_bit(
    tmp_path: Path, few_digits: DataSet
) -> None:
    control = RunControl()
    probes = tuple(Probe(label=f"no. {place}", image=few_digits.test_images[place].numpy()) for place in (5, 6))
    pixel = Pixel("conv1", 2, 3, 4)
    control.watch(Look(probes=probes, pointed=pixel, compared=("conv2", 1)))
    looked_at, folder = run(tmp_path / "a", 1 << 26, control=control)
    for step in (0, 18):
        events = {type(event): event for event in read_moment(folder, step)}
        field, compared, weights = events[FieldMeasured], events[ChannelCompared], events[WeightsCaptured]
        assert isinstance(field, FieldMeasured)
        assert isinstance(compared, ChannelCompared)
        assert isinstance(weights, WeightsCaptured)
        assert (field.pixel, field.probe, field.step) == (pixel, "no. 5", step)
        # The gradient of a sum of products by the image is the filter, where the filter lies; with a padding of 2.
        expected = np.zeros((28, 28), np.float32)
        expected[1:6, 2:7] = np.abs(weights.layers["conv1"].weight[2, 0])
        np.testing.assert_allclose(field.heat, expected, atol=2 * RELATIVE_ERROR * float(expected.max()))
        assert (compared.node_id, compared.channel, compared.probes) == ("conv2", 1, ("no. 5", "no. 6"))
        assert compared.maps.shape == (2, 10, 10)

    nobody, bare = run(tmp_path / "b", 1 << 26)
    assert not {FieldMeasured, ChannelCompared} & {type(event) for event in read_moment(bare, 18)}
    np.testing.assert_array_equal(losses(looked_at), losses(nobody))


@pytest.mark.usefixtures("few_digits")
def test_an_image_that_cannot_be_used_leaves_the_trainers_choice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    control = RunControl()
    control.watch(Look(probes=(Probe(label="bad", image=np.zeros((0, 0), np.uint8)),)))
    _, folder = run(tmp_path, 1 << 26, control=control)
    (maps,) = [event for event in read_moment(folder, 18) if isinstance(event, FeatureMapsCaptured)]
    assert maps.probe == ""


@pytest.mark.usefixtures("few_digits")
def test_a_disk_that_refuses_costs_moments_and_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(MomentStore, "put", refuse)
    events, _ = run(tmp_path, 1 << 26)
    (said,) = [event.message for event in events if isinstance(event, TroubleMet)]
    assert "could not be kept for looking back: No space left on device" in said
    assert "free some space" in said


# The recorder by itself, with times that are given.


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Costly:
    """Takes some time; `needs_step` as it is given."""

    def __init__(self, clock: Clock, cost_s: float, kind: str = "maps") -> None:
        self.needs_step = False
        self._clock = clock
        self._cost_s = cost_s
        self.kind = kind
        self.captured: list[int] = []

    def aim(self, look: Look) -> bool:
        return True

    def prepare(self) -> None:
        pass

    def capture(self, step: int) -> Event:
        self._clock.now_s += self._cost_s
        self.captured.append(step)
        return FeatureMapsCaptured(run_id="r", step=step, probe=self.kind, atlases={})


def recorder(
    folder: Path, clock: Clock, instruments: Sequence[Instrument], num_steps: int, most_bytes: int = 1 << 26
) -> MomentRecorder:
    network = build_module(NETWORK, seed=0)
    subject = Subject(run_id="r", network=network, to_input=lambda _probe: torch.zeros(1, 1, 32, 32))
    return MomentRecorder(
        subject, folder, most_bytes, num_steps, lambda _subject: instruments, clock=clock, busy_clock=clock
    )


def simulate(kept: MomentRecorder, clock: Clock, num_steps: int, step_s: float) -> None:
    control = RunControl()
    kept.begin(0, control)
    for step in range(1, num_steps + 1):
        kept.before_step(step, control)
        clock.now_s += step_s
        kept.after_step(step)


@pytest.mark.parametrize(
    ("step_s", "cost_s", "num_late"),
    [
        # A capture each cost / (0.015 step) steps keeps to the share.
        (0.002, 0.001, 75),
        (0.05, 0.01, 187),
        (0.05, 0.2, 9),
        # One each 10 steps is all that is wanted of 5000.
        (0.05, 0.001, 250),
        # The start has taken more than the share of the whole run: 2580, 3251 and 4096 are powers of 2^(1/3).
        (0.002, 0.01, 3),
        # The first one alone costs more than the share of the whole run.
        (0.002, 0.2, 0),
    ],
)
def test_captures_keep_to_their_share_and_are_even_behind_the_start(
    step_s: float, cost_s: float, num_late: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What writing really takes of the processor would count, too.
    monkeypatch.setattr(MomentStore, "put", lambda *_: True)
    clock = Clock()
    instrument = Costly(clock, cost_s)
    kept = recorder(tmp_path, clock, [instrument], 5000)
    simulate(kept, clock, 5000, step_s)
    spent_s = cost_s * len(instrument.captured)
    kept.close()
    assert spent_s <= CPU_SHARE * clock.now_s + CREDIT_S + cost_s
    late = [step for step in instrument.captured if step >= 2500]
    gaps = [after - before for before, after in itertools.pairwise(late)]
    assert 0.9 * num_late <= len(late) <= 1.05 * num_late + 1
    if num_late:
        assert len(gaps) >= 2
        assert max(gaps) <= 3 * (sum(gaps) / len(gaps))


def test_the_start_is_dense(tmp_path: Path) -> None:
    clock = Clock()
    instrument = Costly(clock, 0.002)
    kept = recorder(tmp_path, clock, [instrument], 100_000)
    simulate(kept, clock, 70, 0.01)
    kept.close()
    assert {0, 1, 2, 4, 8, 16, 32, 64} <= set(instrument.captured)


def test_what_takes_longer_than_the_rest_is_not_in_every_moment(tmp_path: Path) -> None:
    clock = Clock()
    light, heavy = Costly(clock, 0.001), Costly(clock, 0.02, "heavy")
    kept = recorder(tmp_path, clock, [light, heavy], 1000)
    simulate(kept, clock, 1000, 0.02)
    kept.finish(1000)
    kept.close()
    assert set(heavy.captured) < set(light.captured)
    assert 3 * len(heavy.captured) <= len(light.captured)
    assert (heavy.captured[0], heavy.captured[-1]) == (0, 1000)


def test_a_loss_that_leaps_gets_a_moment(tmp_path: Path) -> None:
    clock = Clock()
    instrument = Costly(clock, 0.001)
    kept, control = recorder(tmp_path, clock, [instrument], 1_000_000), RunControl()
    simulate(kept, clock, 300, 0.01)
    usual = np.full(40, 0.5, np.float32)
    kept.heard(usual)
    before = len(instrument.captured)
    kept.before_step(301, control)
    kept.after_step(301)
    assert len(instrument.captured) == before
    kept.heard(np.array([3.0], np.float32))
    kept.before_step(302, control)
    kept.after_step(302)
    kept.close()
    assert instrument.captured[-1] == 302


def test_an_instrument_that_fails_leaves_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    class Broken(Costly):
        def capture(self, step: int) -> Event:
            self.captured.append(step)
            raise RuntimeError("out of memory")

    clock = Clock()
    good, bad = Costly(clock, 0.001), Broken(clock, 0.001)
    kept = recorder(tmp_path, clock, [bad, good], 100)
    simulate(kept, clock, 100, 0.1)
    kept.close()
    assert len(bad.captured) == 1
    assert len(good.captured) > 5
    assert 0 in steps(tmp_path)


@pytest.fixture
def may_write(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The disk writes nothing until this is set."""
    may_write, put = threading.Event(), MomentStore.put

    def slow(store: MomentStore, step: int, events: Sequence[Moment]) -> bool:
        assert may_write.wait(10)
        return put(store, step, events)

    monkeypatch.setattr(MomentStore, "put", slow)
    return may_write


def test_training_never_waits_for_the_disk(tmp_path: Path, may_write: threading.Event) -> None:
    clock = Clock()
    instrument = Costly(clock, 0.001)
    kept = recorder(tmp_path, clock, [instrument], 1000)
    simulate(kept, clock, 1000, 0.1)
    assert len(instrument.captured) > 10
    assert steps(tmp_path) == []
    kept.finish(1001)
    may_write.set()
    kept.close()
    kept_steps = steps(tmp_path)
    assert len(kept_steps) <= 2 + moments_module._MOST_WAITING
    assert kept_steps[-1] == 1001


def test_a_run_that_goes_on_from_before_forgets_what_came_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments_module, "_MOST_WAITING", 1000)
    clock = Clock()
    first = recorder(tmp_path, clock, [Costly(clock, 0.001)], 100)
    simulate(first, clock, 100, 0.1)
    first.close()
    assert steps(tmp_path)[-1] > 50
    second = recorder(tmp_path, clock, [Costly(clock, 0.001)], 100)
    second.begin(50, RunControl())
    second.close()
    assert steps(tmp_path)[-1] == 50


def probes_of(folder: Path, step: int) -> list[str]:
    """What `Costly` instruments put into a moment."""
    return [event.probe for event in read_moment(folder, step) if isinstance(event, FeatureMapsCaptured)]


def test_the_last_moment_is_captured_again_if_it_was_dropped(tmp_path: Path, may_write: threading.Event) -> None:
    clock = Clock()
    instrument = Costly(clock, 0.001)
    kept = recorder(tmp_path, clock, [instrument], 64)
    simulate(kept, clock, 64, 10.0)
    assert instrument.captured[-1] == 64
    kept.finish(64)
    may_write.set()
    kept.close()
    assert steps(tmp_path)[-1] == 64


class Stepping(Costly):
    """Sees an update only if it was told beforehand that one comes."""

    def __init__(self, clock: Clock, cost_s: float) -> None:
        super().__init__(clock, cost_s)
        self.needs_step, self._is_told = True, False

    def prepare(self) -> None:
        self._is_told = True

    def capture(self, step: int) -> Event:
        event = super().capture(step)
        assert isinstance(event, FeatureMapsCaptured)
        is_told, self._is_told = self._is_told, False
        return dataclasses.replace(event, probe="an update" if is_told else "none")


def test_what_was_captured_around_the_last_step_stays_when_the_rest_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments_module, "_MOST_WAITING", 1000)
    clock = Clock()
    stepping, heavy = Stepping(clock, 0.001), Costly(clock, 0.02, "heavy")
    kept = recorder(tmp_path, clock, [stepping, heavy], 100)
    simulate(kept, clock, 3, 10.0)
    assert stepping.captured == [0, 1, 2, 3]
    assert heavy.captured == [0]
    kept.finish(3)
    kept.close()
    assert probes_of(tmp_path, 3) == ["an update", "heavy"]
    assert stepping.captured == [0, 1, 2, 3]


def test_a_run_that_goes_on_keeps_the_moment_that_it_goes_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments_module, "_MOST_WAITING", 1000)
    clock = Clock()
    first = recorder(tmp_path, clock, [Stepping(clock, 0.001)], 100)
    simulate(first, clock, 20, 10.0)
    first.close()
    assert probes_of(tmp_path, 16) == ["an update"]
    again = Stepping(clock, 0.001)
    second, control = recorder(tmp_path, clock, [again], 100), RunControl()
    second.begin(16, control)
    second.finish(16)
    assert again.captured == []
    for step in range(17, 40):
        second.before_step(step, control)
        clock.now_s += 10.0
        second.after_step(step)
    second.finish(39)
    second.close()
    assert probes_of(tmp_path, 16) == ["an update"]
    assert steps(tmp_path)[-1] == 39
    assert again.captured[0] == 17, "one each step is wanted of 100 steps"


@pytest.mark.parametrize("count", [64, 48, 20])
def test_activations_are_measured_on_images_from_the_whole_sample(count: int, tmp_path: Path) -> None:
    """Images of a folder are sorted by class: image `i` is all `i`."""
    images = torch.arange(count, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(-1, 1, 28, 28)
    given: list[Subject] = []

    def make(subject: Subject) -> Sequence[Instrument]:
        given.append(subject)
        return ()

    network = build_module(NETWORK, seed=0)
    subject = Subject("r", network, lambda _probe: torch.zeros(1, 1, 28, 28), sample=lambda: images)
    MomentRecorder(subject, tmp_path, 1 << 26, 100, make).close()
    (sample,) = [one.sample for one in given]
    assert sample is not None
    measured = sample()[:, 0, 0, 0].tolist()
    assert len(measured) == min(32, count)
    assert sorted(set(measured)) == measured
    assert (measured[0], measured[-1]) == (0, count - 1)
    assert max(after - before for before, after in itertools.pairwise(measured)) <= -(-count // len(measured)) + 1


def test_a_run_that_begins_to_keep_moments_takes_the_room_of_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_done = threading.Event()

    def told(folder: Path, most_bytes: int, cancelled: Callable[[], bool]) -> None:
        give_up_oldest(folder, most_bytes, cancelled)
        is_done.set()

    monkeypatch.setattr(moments_module, "total_bytes", lambda _most_bytes: 0)
    monkeypatch.setattr(moments_module, "give_up_oldest", told)
    folders = [tmp_path / f"20260101-00000{number}-abcd" for number in range(2)]
    for folder in folders:
        folder.mkdir()
    MomentStore(folders[0], 1 << 26).put(3, [FeatureMapsCaptured(run_id="r", step=3, probe="", atlases={})])
    os.utime(folders[0] / FOLDER_NAME, (0, 0))
    clock = Clock()
    kept = recorder(folders[1], clock, [Costly(clock, 0.001)], 100)
    assert steps(folders[0]) == [3]
    kept.begin(0, RunControl())
    assert is_done.wait(10)
    kept.close()
    assert (steps(folders[0]), steps(folders[1])) == ([], [0])


def test_a_full_disk_is_said_once_and_later_moments_are_kept_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        clock = Clock()
        kept = recorder(disk, clock, [Costly(clock, 0.001)], 100)
        fill(disk)
        simulate(kept, clock, 100, 0.1)
        kept.close()
        said = kept.take_trouble()
        assert said is not None
        assert "No space left" in said
        assert kept.take_trouble() is None
        assert steps(disk) == []
