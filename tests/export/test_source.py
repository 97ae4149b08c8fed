"""The exported source against torch itself: the same names, the same outputs to the last bit."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.architecture import Architecture, Node, edits
from explorer.architecture.architecture import sorted_nodes
from explorer.export import network_class_name, to_source
from explorer.export.naming import MODULE_ATTRIBUTES
from explorer.inference import infer
from explorer.layers import Add, BatchNorm2d, Concat, Conv2d, Input, Layer, ReLU
from explorer.runtime.modules import build_module
from explorer.zoo import entries, entry
from tests.export.every_layer import every_layer
from tests.export.networks import awkward, conv, frozen, long_lines, node
from tests.networks import branching, deep_chain

ROOT = Path(__file__).parents[2]
# The families whose weights and images are small enough to run each network in both modes.
SMALL = {"alexnet-28", "inception-a", "nin-cifar", "resnet20", "resnet20-b"}
NETWORKS = {item.id: item.build for item in entries() if item.family == "LeNet" or item.id in SMALL} | {
    "branching": branching,
    "awkward": awkward,
}
DEEPER = {name: entry(name).build for name in ("mobilenet-v3-small", "shufflenet-v2-0-5")}
ZOO = {item.id: item.build for item in entries()}
WRITTEN = NETWORKS | DEEPER | {"every layer": every_layer, "frozen": frozen, "long": long_lines}


def executed(architecture: Architecture) -> nn.Module:
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(to_source(architecture), "model.py", "exec"), namespace)
    model = namespace[network_class_name(architecture)]()
    assert isinstance(model, nn.Module)
    return model


def outputs(model: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
    with torch.no_grad():
        result = model(images)
    return result if isinstance(result, tuple) else (result,)


def assert_same(architecture: Architecture) -> None:
    built = build_module(architecture, seed=1)
    generator = torch.Generator().manual_seed(2)
    for name, buffer in built.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5, generator=generator)
    initial = {name: value.clone() for name, value in built.state_dict().items()}
    model = executed(architecture)
    assert model.state_dict().keys() == built.state_dict().keys()
    built.load_state_dict(model.state_dict(), strict=True)
    assert {name: p.requires_grad for name, p in model.named_parameters()} == {
        name: p.requires_grad for name, p in built.named_parameters()
    }
    model.load_state_dict(initial, strict=True)
    built.load_state_dict(initial, strict=True)
    images = torch.rand(2, *architecture.input_shape, generator=generator)
    keeps_statistics = any(node.frozen for node in architecture)
    for mode in (False,) if keeps_statistics else (False, True):
        # In training mode the built network keeps the statistics of frozen norms, and the source says so in words.
        built.train(mode)
        model.train(mode)
        torch.manual_seed(3)
        wanted = outputs(built, images)
        torch.manual_seed(3)
        received = outputs(model, images)
        assert len(received) == len(wanted) == len(architecture.outputs)
        for one, other in zip(received, wanted, strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("name", WRITTEN)
def test_the_source_is_the_built_module_to_the_last_bit(name: str) -> None:
    assert_same(WRITTEN[name]())


@pytest.mark.parametrize("name", ZOO)
def test_every_network_of_the_zoo_has_its_names_and_shapes(name: str) -> None:
    architecture = ZOO[name]()
    reports = infer(architecture).nodes
    with torch.device("meta"):
        built, model = build_module(architecture), executed(architecture)
        results = outputs(model.eval(), torch.empty(2, *architecture.input_shape))
    shapes = {key: value.shape for key, value in built.state_dict().items()}
    assert {key: value.shape for key, value in model.state_dict().items()} == shapes
    assert [tuple(result.shape[1:]) for result in results] == [
        reports[out].output_shape for out in architecture.outputs
    ]


PARTS = ("0", "1", "2", "a", "b", "type", "x")
LAYERS: tuple[Layer, ...] = (
    ReLU(),
    BatchNorm2d(),
    Conv2d(out_channels=2, kernel_size=(1, 1)),
    Conv2d(out_channels=2, kernel_size=(1, 1)),
    Add(),
    Concat(),
)


@st.composite
def networks(draw: st.DrawFn) -> Architecture:
    """Any graph over any nesting of blocks. Convolutions bring everything to 2 channels, so that additions fit."""
    nodes = [node("input", Input(channels=2, height=3, width=3))]
    channels = {"input": 2}
    for _ in range(draw(st.integers(1, 12))):
        node_id = ".".join(draw(st.lists(st.sampled_from(PARTS), min_size=1, max_size=3)))
        taken = [n.id for n in nodes]
        if any(t == node_id or t.startswith(f"{node_id}.") or node_id.startswith(f"{t}.") for t in taken):
            continue
        layer = draw(st.sampled_from(LAYERS))
        count = draw(st.integers(2, 3)) if layer.max_inputs is None else 1
        sources = tuple(draw(st.sampled_from(taken)) for _ in range(count))
        if isinstance(layer, Add) and len({channels[s] for s in sources}) > 1:
            continue
        nodes.append(Node(id=node_id, layer=layer, inputs=sources))
        channels[node_id] = (
            2
            if isinstance(layer, Conv2d)
            else sum(channels[s] for s in sources)
            if isinstance(layer, Concat)
            else channels[sources[0]]
        )
    ids = [n.id for n in nodes]
    chosen = draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True))
    return Architecture(name="any", nodes=sorted_nodes(nodes), outputs=tuple(chosen))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(networks())
def test_any_graph_over_any_blocks_is_the_built_module(architecture: Architecture) -> None:
    assert_same(architecture)


def test_lenet5_reads_as_an_engineer_would_write_it() -> None:
    source = to_source(entry("lenet5-max").build())
    assert (
        """
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, kernel_size=5),  # 6×28×28
            nn.MaxPool2d(kernel_size=2),  # 6×14×14
            nn.Conv2d(6, 16, kernel_size=5),  # 16×10×10
            nn.MaxPool2d(kernel_size=2),  # 16×5×5
        )
"""
        in source
    )
    assert (
        """
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.features(x)  # 16×5×5
        x = self.flatten(x)  # 400
        logits = self.classifier(x)  # 10
        probabilities = self.softmax(logits)  # 10
        return logits, probabilities
"""
        in source
    )


def test_branches_are_named_and_joins_are_operators() -> None:
    source = to_source(branching())
    assert "x = branch + x  # 8×16×16" in source
    assert "x = torch.cat((left, right), dim=1)  # 12×16×16" in source
    assert source.index("class Stem(") < source.index("class ResidualBlock(") < source.index("class Mixed(")


def test_identical_blocks_share_a_class() -> None:
    source = to_source(awkward())
    assert source.count("(nn.Module):") == 6, source
    assert "            Layer1Block2(),\n            Layer1Block2(),\n" in source


def test_the_file_is_formatted_and_clean(tmp_path: Path) -> None:
    for name, build in (ZOO | WRITTEN).items():
        (tmp_path / f"{name.replace('-', '_').replace(' ', '_')}.py").write_text(to_source(build()), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    if subprocess.run([*ruff, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("ruff is not installed")
    for arguments in (["check", "--isolated", "--select", "E,F,W,I", "--ignore", "E501"], ["format", "--check"]):
        done = subprocess.run(
            [*ruff, *arguments, "--no-cache", str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert max(map(len, (tmp_path / "long.py").read_text(encoding="utf-8").splitlines())) <= 88


def test_it_runs_as_a_script_and_prints_shapes(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(to_source(branching()), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines() == ["(2, 10)", "(2, 10)"]
    assert done.stderr == ""


@pytest.mark.parametrize("name", NETWORKS)
def test_with_any_layer_broken_the_source_says_so_and_still_runs(name: str) -> None:
    architecture = NETWORKS[name]()
    for position, broken in enumerate(architecture.nodes):
        if not isinstance(broken.layer, Conv2d):
            continue
        changed = edits.set_value(architecture, broken.id, "kernel_size", 999)
        source = to_source(changed)
        (fault,) = infer(changed).errors
        assert " ".join(fault.text.split()) in " ".join(source.replace("#", " ").split()), position
        assert f"{broken.id}, and what reads it, is missing" in source
        outputs(executed(changed), torch.rand(2, *changed.input_shape))


def test_a_network_broken_at_its_first_layer_is_the_identity() -> None:
    changed = edits.set_value(entry("lenet5").build(), "conv1", "kernel_size", 99)
    images = torch.rand(2, 1, 32, 32)
    assert torch.equal(outputs(executed(changed), images)[0], images)


def test_a_layer_that_nothing_reads_is_kept_and_not_called() -> None:
    source = to_source(awkward())
    assert "self.dead = nn.Conv2d(8, 5, kernel_size=3, padding=1)  # nothing reads it" in source
    assert "self.dead(" not in source


@pytest.mark.parametrize(
    "name",
    ["LeNet-5", "", "5", "nn", "torch", "Tensor", "OrderedDict", "None", "класс", 'a"""b\n#', "x" * 300, "\ud800"],
)
def test_any_title_makes_a_valid_module(name: str) -> None:
    architecture = replace(entry("lenet5-max").build(), name=name)
    to_source(architecture).encode()
    assert_same(architecture)


def test_it_is_deterministic_and_uses_a_given_inference() -> None:
    architecture = branching()
    assert to_source(architecture) == to_source(branching(), infer(architecture))


def test_thousands_of_layers_and_deep_blocks_are_no_trouble() -> None:
    compile(to_source(deep_chain(3000)), "model.py", "exec")
    path = ".".join(["a"] * 400)
    deep = Architecture(
        name="deep",
        nodes=(node("input", Input(channels=1, height=4, width=4)), node(f"{path}.conv", conv(1), "input")),
        outputs=(f"{path}.conv",),
    )
    compile(to_source(deep), "model.py", "exec")


def test_the_names_that_torch_uses_itself_are_known() -> None:
    public: set[str] = set()
    for module in (nn.Module(), nn.Sequential(), nn.ModuleList()):
        public |= {name for name in dir(module) if not name.startswith("_")}
    assert public <= MODULE_ATTRIBUTES


def test_torch_is_not_loaded() -> None:
    code = (
        "import sys; from explorer.export import to_source; from explorer.zoo import entries\n"
        "from tests.export.every_layer import every_layer\n"
        "[to_source(e.build()) for e in entries()]; to_source(every_layer())\n"
        "assert not {'torch', 'numpy', 'PySide6'} & sys.modules.keys(), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
