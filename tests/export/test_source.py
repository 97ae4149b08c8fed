"""The exported source against torch itself: the same names, the same outputs to the last bit."""

import inspect
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
from explorer.layers import Add, BatchNorm2d, Concat, Conv2d, Input, Layer, ReLU, layer_types
from explorer.runtime.modules import build_module
from explorer.zoo import entries, entry
from tests.export.networks import awkward, conv, node
from tests.networks import branching, deep_chain

ROOT = Path(__file__).parents[2]
NETWORKS = {item.id: item.build for item in entries()} | {"branching": branching, "awkward": awkward}


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
    model = executed(architecture)
    assert model.state_dict().keys() == built.state_dict().keys()
    model.load_state_dict(built.state_dict(), strict=True)
    images = torch.rand(2, *architecture.input_shape, generator=generator)
    for mode in (False, True):
        built.train(mode)
        model.train(mode)
        torch.manual_seed(3)
        wanted = outputs(built, images)
        torch.manual_seed(3)
        received = outputs(model, images)
        assert len(received) == len(wanted) == len(architecture.outputs)
        for one, other in zip(received, wanted, strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_source_is_the_built_module_to_the_last_bit(name: str) -> None:
    assert_same(NETWORKS[name]())


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
    for name, build in NETWORKS.items():
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(to_source(build()), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    if subprocess.run([*ruff, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("ruff is not installed")
    for arguments in (["check", "--isolated", "--select", "E,F,W,I", "--ignore", "E501"], ["format", "--check"]):
        done = subprocess.run(
            [*ruff, *arguments, "--no-cache", str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr


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
        changed = edits.set_value(architecture, broken.id, "kernel_size", 99)
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


@pytest.mark.parametrize("cls", [cls for cls in layer_types() if hasattr(nn, cls.__name__)])
def test_arguments_left_out_are_those_that_torch_chooses_itself(cls: type[Layer]) -> None:
    given_values: dict[str, Any] = {p.name: 2 for p in cls.hyper_parameters if p.required}
    layer = cls(**given_values)
    last = node("last", layer, "input")
    source = to_source(
        Architecture(name="one", nodes=(node("input", Input(channels=4, height=8, width=8)), last), outputs=("last",))
    )
    signature = inspect.signature(getattr(nn, cls.__name__).__init__)
    (line,) = [line for line in source.splitlines() if f"= nn.{cls.__name__}(" in line]
    module = eval(line.partition(" = ")[2], {"nn": nn})
    for parameter in cls.hyper_parameters:
        if f"{parameter.name}=" not in line and parameter.name in signature.parameters:
            wanted = getattr(layer, parameter.name)
            received = getattr(module, parameter.name, None)
            if wanted is None or received is None:
                continue
            pair = (received, received) if isinstance(wanted, tuple) and isinstance(received, int) else received
            assert (pair is not None) == wanted if parameter.name == "bias" else pair == wanted, parameter.name


def test_the_names_that_torch_uses_itself_are_known() -> None:
    public: set[str] = set()
    for module in (nn.Module(), nn.Sequential(), nn.ModuleList()):
        public |= {name for name in dir(module) if not name.startswith("_")}
    assert public <= MODULE_ATTRIBUTES


def test_torch_is_not_loaded() -> None:
    code = (
        "import sys; from explorer.export import to_source; from explorer.zoo import entries\n"
        "[to_source(e.build()) for e in entries()]\n"
        "assert not {'torch', 'numpy', 'PySide6'} & sys.modules.keys(), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
