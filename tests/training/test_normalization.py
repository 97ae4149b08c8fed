"""Which normalisation a run uses, and what it does to its images."""

from pathlib import Path

import numpy as np
import pytest
import torch

from explorer import zoo
from explorer.runs import IMAGENET, Normalization, RunConfig, RunControl, RunStore, WeightsFacts, read_facts
from explorer.runtime.images import to_network_input
from explorer.runtime.modules import build_module
from explorer.runtime.weights import load_weights, save_weights
from explorer.training import load_data, plan_run
from explorer.training.normalization import expected_normalization
from explorer.training.recorded import train_recorded

LENET = zoo.entry("lenet5").build()
GREY = Normalization(mean=(0.25,), std=(0.5,))
CONFIG = RunConfig(epochs=1, batch_size=4000, device="cpu", learning_rate=1e-6)


def weights(folder: Path, normalization: Normalization | None) -> Path:
    path = folder / "start.safetensors"
    facts = WeightsFacts(text="x", normalization=normalization, class_names=("ä", "b"))
    save_weights(build_module(LENET, seed=3), path, facts)
    assert read_facts(path) == facts
    return path


def test_auto_takes_the_weights_own_and_says_so(tmp_path: Path) -> None:
    data = load_data("digits")
    assert plan_run(LENET, CONFIG).normalization == data.normalization
    plan = plan_run(LENET, CONFIG, weights(tmp_path, GREY))
    assert plan.normalization == GREY
    assert plan.config.normalization == "0.25/0.5"
    assert any("mean 0.25, std 0.5" in note for note in plan.notes)
    explicit = plan_run(LENET, RunConfig(normalization="data"), weights(tmp_path, GREY))
    assert explicit.normalization == data.normalization
    assert plan_run(LENET, CONFIG, weights(tmp_path, None)).normalization == data.normalization


def test_what_is_for_other_channels_is_refused_or_passed_over(tmp_path: Path) -> None:
    assert plan_run(LENET, CONFIG, weights(tmp_path, IMAGENET)).config.normalization == "data"
    with pytest.raises(ValueError, match=r"normalization: received 3 means .* use 1 of each"):
        plan_run(LENET, RunConfig(normalization="imagenet"))


def test_weights_that_say_nothing_of_theirs_are_noted(tmp_path: Path) -> None:
    silent = weights(tmp_path, None)
    own = RunConfig(normalization="0.5/0.5")
    (note,) = set(plan_run(LENET, CONFIG, silent).notes) - set(plan_run(LENET, CONFIG).notes)
    assert note.startswith("start says nothing of how images were normalised for it; the data set's own mean")
    assert note not in plan_run(LENET, own, silent).notes
    assert note not in plan_run(LENET, CONFIG, weights(tmp_path, GREY)).notes


def test_the_record_and_its_weights_say_what_was_used(tmp_path: Path) -> None:
    start = weights(tmp_path, GREY)
    train_recorded(LENET, CONFIG, lambda _: None, RunControl(), root=tmp_path / "runs", initial_weights=start)
    with RunStore(tmp_path / "runs") as store:
        (record,) = store.list()
    assert record.config.normalization == "0.25/0.5"
    assert read_facts(record.weights_path).normalization == GREY
    assert expected_normalization(RunConfig(), LENET.input_shape, record.weights_path) == GREY
    assert load_weights(record.weights_path).keys() == load_weights(start).keys()


def test_training_really_sees_it(tmp_path: Path) -> None:
    """The first loss is that of torch's own arithmetic on images normalised by hand."""
    start = weights(tmp_path, GREY)
    losses: list[float] = []

    def listen(event: object) -> None:
        losses.extend(float(loss) for loss in getattr(event, "losses", ()))

    train_recorded(LENET, CONFIG, listen, RunControl(), root=tmp_path / "runs", initial_weights=start)
    data = load_data("digits")
    x = torch.nn.functional.pad(data.train_images.float() / 255, (2, 2, 2, 2))
    network = build_module(LENET)
    network.load_state_dict(load_weights(start))
    with torch.inference_mode():
        wanted = torch.nn.functional.cross_entropy(network((x - 0.25) / 0.5), data.train_labels)
    assert losses[0] == pytest.approx(float(wanted), rel=1e-4)


def test_grey_images_get_a_colour_networks_normalisation() -> None:
    generator = np.random.default_rng(0)
    grey = torch.from_numpy(generator.integers(0, 256, (2, 1, 8, 8), dtype=np.uint8))
    seen = to_network_input(grey, (3, 8, 8), IMAGENET)
    for channel, (mean, std) in enumerate(zip(IMAGENET.mean, IMAGENET.std, strict=True)):
        torch.testing.assert_close(seen[:, channel], (grey[:, 0].float() / 255 - mean) / std)
    colour = grey.expand(-1, 3, -1, -1).contiguous()
    torch.testing.assert_close(to_network_input(colour, (3, 8, 8), IMAGENET), seen)
    luma = to_network_input(colour, (1, 8, 8), GREY)
    torch.testing.assert_close(luma, (grey.float() / 255 - 0.25) / 0.5)
