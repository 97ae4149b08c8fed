"""The values on screen against torch's own forward hooks, from the observer to the sentence below the maps."""

import numpy as np
import pytest
import torch
from pytestqt.qtbot import QtBot
from torch import Tensor, nn

from explorer import zoo
from explorer.panels.feature_maps.panel import FeatureMapsPanel
from explorer.panels.feature_maps.pointing import exact_value
from explorer.runs import HOME_VARIABLE, Normalization
from explorer.runs.looks import Pixel, merged
from explorer.runtime.modules import Network, build_module
from explorer.runtime.observer import Observer
from explorer.session.probe_set import ProbeSet
from explorer.session.sources import Source
from tests.panels.stage import shown, stage

_MEAN, _STD = 0.25, 0.5


@pytest.mark.parametrize(
    ("name", "node_id"),
    [
        ("lenet5", "conv2"),
        ("lenet5", "pool1"),
        ("lenet5", "fc3"),
        ("resnet20", "layer2.0.conv1"),
        ("resnet20", "layer3.1.bn2"),
        ("alexnet-28", "conv3"),
    ],
)
def test_what_is_shown_is_what_a_hook_sees(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: object, name: str, node_id: str
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    architecture = zoo.entry(name).build()
    at, probes = stage(architecture), ProbeSet()
    panel = FeatureMapsPanel(at.document, at.selection, probes, at.themes)
    shown(qtbot, panel, 1200, 400)
    qtbot.waitUntil(lambda: probes.current is not None)
    at.selection.set([node_id])
    draw = np.random.default_rng(1)
    channels = architecture.input_shape[0]
    output = at.document.snapshot.inference.nodes[node_id].output_shape
    assert output is not None
    channel, row, column = (int(draw.integers(size)) for size in (*output, 1, 1)[:3])
    pixel = Pixel(node_id, channel, row, column)
    panel.pointing.hover(pixel)
    qtbot.waitUntil(lambda: panel.wanted().pointed == pixel)
    look = merged([panel.wanted()], probes.probes, probes.place)
    normalization = Normalization(mean=(_MEAN,), std=(_STD,))
    events = Observer().capture(architecture, None, 5, look, normalization=normalization)
    panel.show_observed(events, Source("initial weights", None, ""))

    network = build_module(architecture, seed=5).eval()
    probe = probes.current
    assert probe is not None
    image = _given(probe.image, architecture.input_shape, channels).requires_grad_()
    expected = _hooked(network, node_id, image)
    taken = panel._store.of(node_id)
    assert taken is not None
    assert taken.opened is not None
    assert np.array_equal(taken.maps.values.reshape(-1), expected.detach().numpy().reshape(-1))
    value = exact_value(taken.opened, pixel)
    assert value is not None
    one = expected[channel, row, column] if expected.dim() == 3 else expected[channel]
    assert value == float(one.detach())
    assert panel.readout.text.endswith(f"= {value:.6g}".replace("-", "−"))
    assert "≈" not in panel.readout.text, "the arithmetic comes to the same"
    (gradient,) = torch.autograd.grad(one, image)
    assert panel.field.heat is not None
    np.testing.assert_allclose(panel.field.heat, gradient[0].abs().sum(0).numpy(), rtol=1e-4, atol=1e-8)


def _given(image: np.ndarray, shape: tuple[int, ...], channels: int) -> Tensor:
    """The digit as the network takes it: padded with black, or enlarged, and normalised by hand."""
    x = torch.from_numpy(image.astype(np.float32) / 255)[None, None]
    down, right = shape[1] - x.shape[2], shape[2] - x.shape[3]
    x = nn.functional.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
    return ((x - _MEAN) / _STD).repeat(1, channels, 1, 1)


def _hooked(network: Network, node_id: str, image: Tensor) -> Tensor:
    seen: list[Tensor] = []
    module = network.get_submodule(node_id)
    module.register_forward_hook(lambda _module, _given, output: seen.append(output[0]))
    network(image)
    return seen[0]
