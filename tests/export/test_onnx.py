"""Every layer type in every form, exported and run elsewhere; and what ONNX cannot say."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from explorer.architecture import Architecture
from explorer.export import ExportError
from explorer.export import onnx as onnx_module
from explorer.export.certificate import Certificate
from explorer.export.export import export_model, outputs_of
from explorer.export.onnx import write_onnx
from explorer.export.onnx_forms import exportable_form
from explorer.layers import Input, Opaque, ReLU, layer_types
from explorer.layers.opaque import Measurement
from explorer.runtime.modules import Network, build_module
from tests.export.every_layer import MAPS, every_layer
from tests.export.networks import conv, node


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Certificate, Network]:
    folder, architecture = tmp_path_factory.mktemp("every_layer"), every_layer()
    network = build_module(architecture, seed=3)
    generator = torch.Generator().manual_seed(4)
    images = torch.rand(5, *architecture.input_shape, generator=generator)
    # Running statistics, and weights that begin as ones and zeros, that tell channels apart.
    with torch.no_grad():
        for tensor in (*network.parameters(), *network.buffers()):
            if tensor.dim() == 1 and tensor.is_floating_point():
                tensor.uniform_(0.5, 1.5, generator=generator)
    targets = [folder / "model.py", folder / "model.safetensors", folder / "model.onnx"]
    certificate = export_model(architecture, network.state_dict(), targets, images=images, check=True)
    return folder, certificate, network.eval()


def test_every_layer_type_is_there() -> None:
    there = {type(node.layer) for node in every_layer().nodes}
    assert there == set(layer_types()), "give a new layer its place in tests/export/every_layer.py"


def test_every_layer_type_runs_elsewhere(exported: tuple[Path, Certificate, Network]) -> None:
    _, certificate, _ = exported
    assert certificate.passed, certificate.text
    source, onnx = certificate.checks
    assert source.max_abs_difference == 0
    assert onnx.max_abs_difference is not None
    assert onnx.max_abs_difference < 1e-4


@pytest.mark.parametrize("count", [1, 2, 7])
def test_every_layer_takes_batches_of_any_size(count: int, exported: tuple[Path, Certificate, Network]) -> None:
    folder, _, network = exported
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    images = torch.rand(count, *network.architecture.input_shape)
    received = session.run(None, {"images": images.numpy()})
    for name, one, other in zip(network.architecture.outputs, received, outputs_of(network, images), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("output_size", [1, 3, (2, 9), (9, 7), (4, 5), (None, 3), (12, 20)])
def test_adaptive_max_pooling_is_put_in_other_words(output_size: int | tuple[int | None, int]) -> None:
    module = nn.AdaptiveMaxPool2d(output_size)
    form = exportable_form(module, MAPS)
    assert form is not module
    x = torch.randn(2, *MAPS)
    assert torch.equal(form(x), module(x))


pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(pairs, pairs, pairs, pairs, st.tuples(st.integers(1, 12), st.integers(1, 12)), st.booleans())
def test_rounded_up_pools_are_put_in_other_words(
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    dilation: tuple[int, int],
    size: tuple[int, int],
    count_include_pad: bool,
) -> None:
    padding = (min(padding[0], kernel_size[0] // 2), min(padding[1], kernel_size[1] // 2))
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    for module in (
        nn.MaxPool2d(kernel_size, stride, padding, dilation, ceil_mode=True),
        nn.AvgPool2d(kernel_size, stride, padding, ceil_mode=True, count_include_pad=count_include_pad),
        nn.LPPool2d(2, kernel_size, stride, ceil_mode=True),
    ):
        try:
            wanted = module(x)
        except RuntimeError:  # the window is larger than the map
            continue
        form = exportable_form(module, (3, *size))
        assert not any(getattr(part, "ceil_mode", False) for part in form.modules())
        torch.testing.assert_close(form(x), wanted)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(pairs, pairs, pairs, pairs, pairs, st.booleans())
def test_output_padding_beyond_the_stride_is_put_in_other_words(
    kernel_size: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int],
    output_padding: tuple[int, int],
    dilation: tuple[int, int],
    bias: bool,
) -> None:
    module = nn.ConvTranspose2d(4, 6, kernel_size, stride, padding, output_padding, 2, bias, dilation)
    x = torch.randn(2, 4, 5, 6, generator=torch.Generator().manual_seed(1))
    try:
        wanted = module(x)
    except (RuntimeError, ValueError):
        assume(False)
    form = exportable_form(module, (4, 5, 6))
    beyond = output_padding[0] >= stride[0] or output_padding[1] >= stride[1]
    assert (form is not module) == beyond
    torch.testing.assert_close(form(x), wanted)


def with_opaque(module: str, output: tuple[int, ...], arguments: str = "") -> Network:
    arriving = (4, 8, 8)
    opaque = Opaque(module=module, arguments=arguments, measured=(Measurement(inputs=(arriving,), output=output),))
    nodes = (
        node("input", Input(channels=3, height=8, width=8)),
        node("conv", conv(4), "input"),
        node("block.odd", opaque, "conv"),
        node("relu", ReLU(), "block.odd"),
    )
    return build_module(Architecture(name="opaque", nodes=nodes, outputs=("relu",)), seed=0)


def test_a_layer_that_onnx_has_no_word_for_is_named(tmp_path: Path) -> None:
    network = with_opaque("FractionalMaxPool2d", (4, 3, 3), "kernel_size=2, output_size=3")
    message = (
        r"^model\.onnx: torch cannot export block\.odd \(FractionalMaxPool2d\) to ONNX: ONNX has no operator for "
        r"aten\.fractional_max_pool2d; leave it out, or export to \.py and \.safetensors$"
    )
    network.train()
    with pytest.raises(ExportError, match=message):
        write_onnx(tmp_path / "model.onnx", network)
    assert network.training
    assert not list(tmp_path.iterdir())


def test_a_fault_of_no_one_layer_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Network:
        raise RuntimeError("first line") from ValueError("the graph is\n too deep")

    monkeypatch.setattr(onnx_module, "_exportable", refuse)
    with pytest.raises(ExportError, match=r"^model\.onnx: torch cannot export this network to ONNX: the graph is$"):
        write_onnx(tmp_path / "model.onnx", with_opaque("Hardtanh", (4, 8, 8)))


def test_opaque_layers_leave_as_what_they_are(tmp_path: Path) -> None:
    network = with_opaque("Hardtanh", (4, 8, 8), "min_val=-0.1")
    write_onnx(tmp_path / "model.onnx", network)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    images = torch.randn(3, 3, 8, 8)
    (received,) = session.run(None, {"images": images.numpy()})
    np.testing.assert_allclose(received, outputs_of(network, images)[0], atol=1e-5)
