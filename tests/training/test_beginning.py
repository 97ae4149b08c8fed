"""The weights that a run began with, against those it really had before its first step: fresh, given, resumed."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer import zoo
from explorer.architecture import Architecture, Project, files
from explorer.runs import Event, Look, RunConfig, RunControl, RunFinished, RunStore, WeightPictures, WeightsCaptured
from explorer.runtime.modules import build_module
from explorer.runtime.observer import Observer
from explorer.runtime.weights import load_weights, save_weights
from explorer.session.probes import probe_images
from explorer.training.beginning import kept_beginning
from explorer.training.initialization import initialize
from explorer.training.loop import train
from explorer.training.recorded import resume_recorded

CONFIG = RunConfig(epochs=2, batch_size=16, learning_rate=0.05, device="cpu", seed=5)
LOOK = Look(weighed=("conv1", "fc3"))

pytestmark = pytest.mark.usefixtures("few_digits")


def lenet() -> Architecture:
    return zoo.entry("lenet5").build()


def run(
    config: RunConfig = CONFIG, root: Path | None = None, weights: Path | None = None, stop_after: int | None = None
) -> tuple[list[WeightsCaptured], str]:
    """What was captured of a run that is looked at from the start, and its id."""
    control = RunControl()
    control.watch(LOOK)
    captured: list[WeightsCaptured] = []
    take = _taking(captured, control, stop_after)
    if root is None:
        result = train(lenet(), config, take, control, run_id="r", initial_weights=weights)
        assert isinstance(result, RunFinished), result
        return captured, "r"
    with RunStore(root) as store:
        text = files.dumps(Project(architecture=lenet(), sections={"training": config.to_plain()}))
        record = store.create(config, "LeNet", text, {})
        result = train(lenet(), config, take, control, run_id=record.run_id, store=store, initial_weights=weights)
        assert isinstance(result, RunFinished), result
        return captured, record.run_id


def _taking(captured: list[WeightsCaptured], control: RunControl, stop_after: int | None) -> Callable[[Event], None]:
    def take(event: Event) -> None:
        if isinstance(event, WeightsCaptured):
            captured.append(event)
        step = getattr(event, "last_step", getattr(event, "first_step", 0))
        if stop_after is not None and step >= stop_after:
            control.stop()

    return take


def changed_by(event: WeightsCaptured, start: dict[str, np.ndarray]) -> None:
    """Check every change against the weights before the run."""
    assert set(event.layers) == set(LOOK.weighed)
    for node_id, pictures in event.layers.items():
        assert pictures.change is not None
        assert np.array_equal(pictures.change, pictures.weight - start[f"{node_id}.weight"])
        assert bool(np.any(pictures.change)) == (event.step > 0)


def fresh(init: str = "default", seed: int = 5) -> dict[str, np.ndarray]:
    network = build_module(lenet(), seed=seed)
    initialize(network, init, seed)
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


@pytest.mark.parametrize("init", ["default", "kaiming-normal", "xavier-uniform"])
@pytest.mark.parametrize("seed", [5, 6])
def test_fresh_weights(init: str, seed: int) -> None:
    captured, _ = run(RunConfig.from_plain({**CONFIG.to_plain(), "init": init, "seed": seed}))
    assert captured[-1].step == 12
    for event in captured:
        changed_by(event, fresh(init, seed))


def test_given_weights(tmp_path: Path) -> None:
    given = build_module(lenet(), seed=99)
    save_weights(given, tmp_path / "given.safetensors")
    captured, _ = run(weights=tmp_path / "given.safetensors")
    changed_by(captured[-1], {name: value.numpy().copy() for name, value in given.state_dict().items()})


def test_given_weights_that_fit_in_part_only(tmp_path: Path) -> None:
    given = build_module(lenet(), seed=99)
    path = tmp_path / "given.safetensors"
    save_weights(given, path)
    start = {**fresh(), **{k: v for k, v in load_weights(path).items() if k.startswith("fc3.")}}
    from safetensors.torch import save_file

    save_file({k: v for k, v in load_weights(path).items() if k != "conv1.bias"}, path)
    captured, _ = run(weights=path)
    changed_by(captured[-1], {name: np.asarray(value) for name, value in start.items()})


def _resumed(root: Path, run_id: str) -> list[WeightsCaptured]:
    control = RunControl()
    control.watch(LOOK)
    captured: list[WeightsCaptured] = []
    result = resume_recorded(run_id, _taking(captured, control, None), control, root=root)
    assert isinstance(result, RunFinished), result
    return captured


def test_a_resumed_run_goes_on_to_compare_with_its_first_weights(tmp_path: Path) -> None:
    _, run_id = run(root=tmp_path, stop_after=3)
    captured = _resumed(tmp_path, run_id)
    assert captured[-1].step == 12
    changed_by(captured[-1], fresh())


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_resumed_run_from_given_weights_knows_them_only_while_they_are_there(
    tmp_path: Path, is_replaced: bool
) -> None:
    given, path = build_module(lenet(), seed=99), tmp_path / "given.safetensors"
    save_weights(given, path)
    _, run_id = run(root=tmp_path / "store", weights=path, stop_after=3)
    if is_replaced:
        save_weights(build_module(lenet(), seed=3), path)
        os.utime(path, ns=(1, 1))
    last = _resumed(tmp_path / "store", run_id)[-1]
    if is_replaced:
        assert all(pictures.change is None for pictures in last.layers.values())
    else:
        changed_by(last, {name: value.numpy().copy() for name, value in given.state_dict().items()})


def test_a_run_of_before_is_not_known(tmp_path: Path) -> None:
    _, run_id = run(root=tmp_path, stop_after=3)
    with RunStore(tmp_path) as store:
        folder = store.get(run_id).folder
    (folder / "beginning.json").unlink()
    assert kept_beginning(folder) is None
    assert all(pictures.change is None for pictures in _resumed(tmp_path, run_id)[-1].layers.values())


def test_trained_weights_at_rest_are_compared_with_what_their_run_began_with(tmp_path: Path) -> None:
    _, run_id = run(root=tmp_path)
    with RunStore(tmp_path) as store:
        path = store.get(run_id).weights_path
    beginning = kept_beginning(path.parent)
    assert beginning is not None
    look = dataclasses.replace(LOOK, probes=probe_images()[:1])
    # Whatever seed the window has now.
    (event,) = Observer().capture(lenet(), path, 0, look, initial=beginning.parameters)
    assert isinstance(event, WeightsCaptured)
    for node_id, pictures in event.layers.items():
        assert isinstance(pictures, WeightPictures)
        assert pictures.gradient is None
        assert np.array_equal(pictures.weight, load_weights(path)[f"{node_id}.weight"].numpy())
        assert pictures.change is not None
        assert np.array_equal(pictures.change, pictures.weight - fresh()[f"{node_id}.weight"])
