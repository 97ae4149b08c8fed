"""A small network of each family of the catalogue, exported and run in a process that knows nothing of this program.

All of them, at full size, are exported by `tests.benchmarks.exports`.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.export import certificate, network_class_name, to_source
from explorer.export.certificate import INPUT_NAME, ONNX_TOLERANCE, FloatArray
from explorer.export.export import outputs_of
from explorer.export.onnx import write_onnx
from explorer.export.weights import write_weights
from explorer.runtime.modules import build_module
from explorer.zoo import Value
from tests.export.lively import lively

CHECK_SCRIPT = Path(certificate.__file__).with_name("check_script.py")


def small(network_id: str, size: int, until: str | None = None, **values: Value) -> Architecture:
    """A network on images of `size` pixels a side, up to a node of it if one is named."""
    architecture = zoo.entry(network_id).build(**values)
    architecture = edits.set_input_shape(architecture, architecture.input_shape[0], size, size)
    return architecture if until is None else beginning(architecture, until)


def beginning(architecture: Architecture, until: str) -> Architecture:
    """The nodes that lead to one, which becomes the output."""
    needed = {until}
    for node in reversed(architecture.nodes):
        if node.id in needed:
            needed.update(node.inputs)
    nodes = tuple(node for node in architecture if node.id in needed)
    blocks = tuple(block for block in architecture.blocks if any(i.startswith(f"{block.path}.") for i in needed))
    return Architecture(name=architecture.name, nodes=nodes, outputs=(until,), blocks=blocks)


FAMILIES: dict[str, Callable[[], Architecture]] = {
    "LeNet": lambda: small("lenet5-1998", 32),
    "AlexNet": lambda: small("alexnet", 99, "pool2"),
    "ZFNet": lambda: small("zfnet", 64, "norm2"),
    "NiN": lambda: small("nin-cifar", 32, "pool2"),
    "VGG": lambda: small("vgg11-bn", 32, "features.14", width=4),
    "GoogLeNet": lambda: small("googlenet", 64, "inception3a.concat"),
    "Inception": lambda: small("inception-a", 17, in_channels=16),
    "ResNet": lambda: small("resnet50", 32, "layer1.1.relu", width=8),
    "ResNet for CIFAR": lambda: small("resnet20", 32, "layer2.0.relu", width=4),
    "DenseNet": lambda: small("densenet121", 32, "features.denseblock1.denselayer3.concat", growth_rate=8),
    "SqueezeNet": lambda: small("squeezenet1-1", 64, "features.6.concat"),
    "MobileNet": lambda: small("mobilenet-v3-small", 32, "features.3.add", width=0.5),
    "ShuffleNet": lambda: small("shufflenet-v2-0-5", 32, "stage2.1.shuffle"),
    "EfficientNet": lambda: small("efficientnet-b0", 32, "features.2.1.add", width=0.5),
    "ConvNeXt": lambda: small("convnext-tiny", 32, "features.3.0.add", width=8),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, tuple[FloatArray, FloatArray]]]:
    """By family and form, the file's outputs and the network's own."""
    folder = tmp_path_factory.mktemp("families")
    jobs: list[Path] = []
    expected = {}
    for number, (family, make) in enumerate(FAMILIES.items()):
        generator = torch.Generator().manual_seed(number)
        architecture = make()
        network = lively(build_module(architecture, seed=number), generator)
        images = torch.randn(2, *architecture.input_shape, generator=generator)
        (expected[family],) = outputs_of(network, images)
        place = folder / str(number)
        place.mkdir()
        (place / "model.py").write_text(to_source(architecture), encoding="utf-8")
        write_weights(place / "model.safetensors", network.state_dict(), architecture.name)
        write_onnx(place / "model.onnx", network)
        for kind, model in (("source", "model.py"), ("onnx", "model.onnx")):
            job = place / kind
            job.mkdir()
            np.savez(job / "images.npz", images=images.numpy())
            plain = {
                "kind": kind,
                "model": str(place / model),
                "weights": str(place / "model.safetensors"),
                "class_name": network_class_name(architecture),
                "input": INPUT_NAME,
                "num_threads": torch.get_num_threads(),
            }
            (job / "job.json").write_text(json.dumps(plain), encoding="utf-8")
            jobs.append(job)
    code = (
        "import runpy, sys; from pathlib import Path\n"
        "check = runpy.run_path(sys.argv[1])['main']\n"
        "for folder in sys.argv[2:]: check(Path(folder))"
    )
    # One process for all: it takes seconds to import torch.
    command = [sys.executable, "-I", "-c", code, str(CHECK_SCRIPT), *map(str, jobs)]
    subprocess.run(command, cwd=folder, check=True)
    found: dict[str, dict[str, tuple[FloatArray, FloatArray]]] = {}
    for number, family in enumerate(FAMILIES):
        found[family] = {}
        for kind in ("source", "onnx"):
            with np.load(folder / str(number) / kind / "outputs.npz") as file:
                found[family][kind] = (file["output0"], expected[family])
    return found


def test_every_family_is_there() -> None:
    assert set(FAMILIES) == {entry.family for entry in zoo.entries()}, "export a small network of a new family"


@pytest.mark.parametrize("family", FAMILIES)
def test_source_and_weights_give_the_same_bits(
    family: str, answers: dict[str, dict[str, tuple[FloatArray, FloatArray]]]
) -> None:
    received, wanted = answers[family]["source"]
    assert not np.array_equal(wanted[0], wanted[1]), "the images have to make a difference"
    np.testing.assert_array_equal(received, wanted)


@pytest.mark.parametrize("family", FAMILIES)
def test_onnxruntime_is_within_the_tolerance(
    family: str, answers: dict[str, dict[str, tuple[FloatArray, FloatArray]]]
) -> None:
    received, wanted = answers[family]["onnx"]
    scale = max(1.0, float(np.abs(wanted).max()))
    np.testing.assert_allclose(received, wanted, rtol=0, atol=ONNX_TOLERANCE * scale)
