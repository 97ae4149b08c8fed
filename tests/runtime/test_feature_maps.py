"""Atlases against numpy, and what a capture must leave alone."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.layers import Linear, ReLU
from explorer.runs import Atlas, FeatureMapsCaptured, Look, Probe
from explorer.runtime.feature_maps import capture_feature_maps, near_square_columns
from explorer.runtime.modules import Network, build_module
from explorer.runtime.observer import Observer
from explorer.runtime.weights import save_weights
from explorer.zoo.builder import Builder, conv, flatten
from tests.networks import branching


def identity(channels: int, height: int, width: int) -> Network:
    net = Builder("identity", channels, height, width)
    net.add("relu", ReLU())
    return build_module(net.build())


def test_each_tile_is_its_channel_on_the_layers_scale() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    probe = torch.rand(1, 1, 32, 32)
    atlases = capture_feature_maps(network, probe, ["conv1", "fc1", "input"])
    maps = network.get_submodule("conv1")(probe)[0].detach().numpy()
    atlas = atlases["conv1"]
    assert (atlas.num_channels, atlas.tile_height, atlas.tile_width, atlas.gap) == (6, 28, 28, 1)
    assert (atlas.columns, atlas.rows) == (3, 2)
    assert atlas.minimum == pytest.approx(maps.min())
    assert atlas.maximum == pytest.approx(maps.max())
    wanted = (maps - maps.min()) / (maps.max() - maps.min()) * 255
    for channel in range(6):
        assert np.abs(atlas.tile(channel) - wanted[channel]).max() <= 0.51
    assert not atlas.image[28].any()
    fc1 = atlases["fc1"]
    assert (fc1.num_channels, fc1.tile_height, fc1.tile_width, fc1.gap) == (120, 1, 1, 0)
    assert fc1.image.shape == (11, 11)


def test_per_channel_stretches_each_channel() -> None:
    probe = torch.stack([torch.linspace(0, 1, 16), torch.linspace(5, 9, 16)]).reshape(1, 2, 4, 4)
    atlas = capture_feature_maps(identity(2, 4, 4), probe, ["relu"], per_channel=True)["relu"]
    assert [(int(atlas.tile(c).min()), int(atlas.tile(c).max())) for c in range(2)] == [(0, 255), (0, 255)]
    assert (atlas.minimum, atlas.maximum) == (0, 9)


def test_large_maps_are_averaged_down_and_many_channels_cut() -> None:
    probe = torch.rand(1, 5, 96, 130)
    atlas = capture_feature_maps(identity(5, 96, 130), probe, ["relu"], most_channels=4)["relu"]
    assert (atlas.num_channels, atlas.tile_height, atlas.tile_width) == (4, 32, 44)
    exact = capture_feature_maps(identity(5, 96, 128), probe[..., :128], ["relu"])["relu"]
    assert (exact.tile_height, exact.tile_width) == (48, 64)
    values = probe[0, 2, :, :128].numpy()
    blocks = values.reshape(48, 2, 64, 2).mean((1, 3))
    wanted = (blocks - exact.minimum) / (exact.maximum - exact.minimum) * 255
    assert np.abs(exact.tile(2) - wanted).max() <= 0.51


def test_values_that_are_not_finite_keep_the_scale() -> None:
    probe = torch.tensor([[0.0, 2.0, math.inf], [math.nan, 1.0, 4.0]]).reshape(1, 1, 2, 3)
    atlas = capture_feature_maps(identity(1, 2, 3), probe, ["input"])["input"]
    assert (atlas.minimum, atlas.maximum) == (0, 4)
    assert atlas.image.tolist() == [[0, 128, 255], [0, 64, 255]]
    flat = capture_feature_maps(identity(1, 2, 3), torch.full((1, 1, 2, 3), math.nan), ["input"])["input"]
    assert (flat.minimum, flat.maximum, int(flat.image.max())) == (0, 0, 0)


def test_a_capture_disturbs_nothing() -> None:
    network = build_module(branching(), seed=0)
    network.get_submodule("stem.norm").eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    modes = {name: module.training for name, module in network.named_modules()}
    state = torch.get_rng_state()
    capture_feature_maps(network, torch.rand(1, 3, 16, 16, generator=torch.Generator()), ["fc", "mixed.cat"])
    assert {name: module.training for name, module in network.named_modules()} == modes
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_no_column_is_empty() -> None:
    for count in range(1, 200):
        columns = near_square_columns(count, 9, 9)
        rows = -(-count // columns)
        assert columns * (rows - 1) < count <= columns * rows
        assert 0 <= columns - rows <= 1


def _picture(observer: Observer, architecture: Architecture, node_id: str, weights: Path | None = None) -> bytes:
    image = np.arange(32 * 32, dtype=np.uint32).reshape(32, 32).astype(np.uint8)
    return _captured(observer, architecture, image, node_id, weights=weights)[node_id].image.tobytes()


def _captured(
    observer: Observer, architecture: Architecture, image: npt.NDArray[Any], *node_ids: str, weights: Path | None = None
) -> Mapping[str, Atlas]:
    look = Look(maps=node_ids, probes=(Probe(label="a picture", image=image),))
    (event,) = observer.capture(architecture, weights, 0, look)
    assert isinstance(event, FeatureMapsCaptured)
    assert (event.run_id, event.step, event.probe) == ("", 0, "a picture")
    return event.atlases


def test_observer_keeps_weights_that_fit(tmp_path: Path) -> None:
    architecture = zoo.entry("lenet5").build()
    path = tmp_path / "weights.safetensors"
    save_weights(build_module(architecture, seed=99), path)
    observer = Observer()
    trained = _picture(observer, architecture, "conv1", weights=path)
    assert trained != _picture(Observer(), architecture, "conv1")
    wider = edits.set_value(architecture, "conv2", "out_channels", 20)
    assert _picture(observer, wider, "conv1", weights=path) == trained
    changed = edits.set_value(architecture, "conv1", "kernel_size", 3)
    assert _picture(observer, changed, "conv1", weights=path) != trained
    assert _picture(observer, architecture, "conv1", weights=path) == trained


def test_observer_shows_what_lies_before_a_fault() -> None:
    broken = edits.set_value(zoo.entry("lenet5").build(), "conv2", "kernel_size", 99)
    atlases = _captured(Observer(), broken, np.zeros((1, 28, 28), np.uint8), "conv1", "conv2", "fc3")
    assert list(atlases) == ["conv1"]


def test_observer_refuses_what_is_too_large() -> None:
    net = Builder("huge", 3, 64, 64)
    net.add("conv", conv(8, 3))
    net.add("flatten", flatten())
    net.add("fc", Linear(out_features=1_000_000))
    with pytest.raises(ValueError, match="too large for a preview"):
        _captured(Observer(), net.build(), np.zeros((3, 64, 64), np.uint8), "conv")


def test_probe_may_be_any_picture() -> None:
    architecture = zoo.entry("lenet5").build()
    for image in (np.zeros((3, 50, 40), np.float32), np.zeros((1, 28, 28), np.uint8), np.ones((9, 9))):
        assert _captured(Observer(), architecture, image, "fc3")["fc3"].num_channels == 10
    with pytest.raises(ValueError, match="probe image"):
        _captured(Observer(), architecture, np.zeros(9, np.uint8), "fc3")
    with pytest.raises(ValueError, match="no probe image"):
        Observer().capture(architecture, None, 0, Look(maps=("fc3",)))
    assert Observer().capture(architecture, None, 0, Look()) == ()
