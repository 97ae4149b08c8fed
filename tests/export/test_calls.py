"""How single calls are written: torch's defaults left out, values as one types them, own modules word for word."""

import inspect
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.architecture import Architecture
from explorer.export import network_class_name, to_source
from explorer.export.calls import constructor, operation
from explorer.export.layout import flat
from explorer.export.signatures import NEEDED, own_modules, torch_signatures
from explorer.inference import infer
from explorer.layers import Input, Layer, ModuleCall, Opaque, OperatorCall, Pad, Slice
from explorer.runtime import own_modules as own_modules_file
from explorer.runtime.operators import OPERATORS
from tests.export.every_layer import every_layer
from tests.export.networks import conv, frozen, node
from tests.networks import branching

ROOT = Path(__file__).parents[2]
PAIR = r"\(([\d.]+), \1\)"


def calls() -> list[tuple[Layer, Any]]:
    architecture = every_layer()
    reports = infer(architecture).nodes
    return [(n.layer, n.layer.call(reports[n.id].input_shapes)) for n in architecture.nodes]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", torch_signatures())
def test_arguments_left_out_are_those_that_torch_chooses_itself(name: str) -> None:
    theirs = inspect.signature(getattr(nn, name)).parameters
    ours = torch_signatures()[name]
    for argument, default in ours.items():
        wanted = theirs[argument].default
        assert (default is NEEDED) if wanted is inspect.Parameter.empty else (default == wanted), argument
        assert type(default) is type(wanted) or default is NEEDED
    assert list(ours) == [argument for argument in theirs if argument in ours]


@pytest.mark.parametrize("name", own_modules())
def test_the_own_modules_signatures_are_read_right(name: str) -> None:
    theirs = inspect.signature(getattr(own_modules_file, name)).parameters
    ours = own_modules()[name].signature
    known = {a: NEEDED if p.default is inspect.Parameter.empty else p.default for a, p in theirs.items()}
    assert {argument: known[argument] for argument in ours} == ours


def test_every_layer_has_a_signature_and_every_operator_its_source() -> None:
    found = calls()
    for layer, call in found:
        if isinstance(call, ModuleCall) and not isinstance(layer, Opaque):
            signature = own_modules()[call.name].signature if call.is_own else torch_signatures()[call.name]
            assert call.arguments.keys() <= signature.keys(), layer
    assert {call.name for _, call in found if isinstance(call, OperatorCall)} - {"input"} == OPERATORS.keys()


def test_what_is_written_makes_the_module_that_is_built() -> None:
    namespace = {"nn": nn, **vars(own_modules_file)}
    architecture = every_layer()
    reports = infer(architecture).nodes
    for n in architecture.nodes:
        written = constructor(n.layer, reports[n.id].input_shapes)
        if isinstance(written, OperatorCall):
            continue
        call = n.layer.call(reports[n.id].input_shapes)  # type: ignore[arg-type]
        assert isinstance(call, ModuleCall)
        made = eval(flat(written.text), namespace)
        wanted = getattr(own_modules_file if call.is_own else nn, call.name)(**call.arguments)
        assert type(made) is type(wanted)
        # torch says 7 of (7, 7) in some layers and not in others.
        assert re.sub(PAIR, r"\1", made.extra_repr()) == re.sub(PAIR, r"\1", wanted.extra_repr())
        made.load_state_dict(wanted.state_dict(), strict=True)


MAPS = torch.rand(2, 4, 6, 6)
OPERATIONS = {
    "x + y + x": OperatorCall("add", {}),
    "x - y - x": OperatorCall("sub", {}),
    "x * y * x": OperatorCall("mul", {}),
    "torch.cat((x, y, x), dim=2)": OperatorCall("cat", {"dim": 2}),
    "x.reshape(x.shape[0], 8, 18)": OperatorCall("reshape", {"shape": (8, 18)}),
    "x.permute(0, 2, 3, 1)": OperatorCall("permute", {"dims": (0, 2, 3, 1)}),
    "x.mean(dim=(2, 3))": OperatorCall("mean", {"dim": (2, 3), "keepdim": False}),
    "x.mean(dim=1, keepdim=True)": OperatorCall("mean", {"dim": (1,), "keepdim": True}),
    "x.sum(dim=(3, 1))": OperatorCall("sum", {"dim": (3, 1), "keepdim": False}),
    "x[:, :, ::2]": OperatorCall("slice", {"dim": 2, "start": 0, "stop": None, "step": 2}),
    "x[:, 1:3]": OperatorCall("slice", {"dim": 1, "start": 1, "stop": 3, "step": 1}),
    "x[:, :, :, -3:-1:2]": OperatorCall("slice", {"dim": 3, "start": -3, "stop": -1, "step": 2}),
    "x[:, :, :0]": OperatorCall("slice", {"dim": 2, "start": 0, "stop": 0, "step": 1}),
    "F.pad(x, (1, 0, 2, -1))": OperatorCall("pad", {"pad": (1, 0, 2, -1), "mode": "constant", "value": 0.0}),
    'F.pad(x, (1, 1), value=float("-inf"))': OperatorCall(
        "pad", {"pad": (1, 1), "mode": "constant", "value": float("-inf")}
    ),
    'F.pad(x, (1, 1, 0, 2), mode="reflect")': OperatorCall(
        "pad", {"pad": (1, 1, 0, 2), "mode": "reflect", "value": 3.0}
    ),
    "x.chunk(2, dim=1)[0]": OperatorCall("chunk", {"chunks": 2, "dim": 1, "index": 0}),
    "x.split(4, dim=2)[1]": OperatorCall("split", {"split_size_or_sections": 4, "dim": 2, "index": 1}),
    "x.split([1, 3], dim=1)[1]": OperatorCall("split", {"split_size_or_sections": (1, 3), "dim": 1, "index": 1}),
}


@pytest.mark.parametrize("text", OPERATIONS)
def test_an_operator_is_one_readable_expression(text: str) -> None:
    operator = OPERATIONS[text]
    names = ["x", "y", "x"] if operator.name in {"add", "sub", "mul", "cat"} else ["x"]
    assert flat(operation(operator, names)) == text
    values = {"x": MAPS, "y": MAPS + 1, "torch": torch, "F": F}
    inputs = [values[name] for name in names]
    assert torch.equal(eval(text, values), OPERATORS[operator.name](*inputs, **operator.arguments))


def test_a_piece_of_many_is_named_by_its_place() -> None:
    sizes = (*(1,) * 30, 5, 1)
    operator = OperatorCall("split", {"split_size_or_sections": sizes, "dim": 1, "index": 30})
    text = flat(operation(operator, ["x"]))
    assert text == "x.narrow(1, 30, 5)"
    x = torch.rand(2, 36)
    assert torch.equal(eval(text), OPERATORS["split"](x, **operator.arguments))


def test_values_are_written_as_one_types_them() -> None:
    arguments = "size=(7, 7), mode='a\"b', scale=(2.0, 2.0), rows=[[1], ()], flag=True, name=\"it's\""
    call = constructor(Opaque(module="Anything", arguments=arguments), ((4, 8, 8),))
    assert not isinstance(call, OperatorCall)
    assert flat(call.text) == (
        "nn.Anything(size=7, mode='a\"b', scale=(2.0, 2.0), rows=[[1], ()], flag=True, name=\"it's\")"
    )


def test_own_modules_come_along_word_for_word_and_only_those_that_are_used() -> None:
    source = to_source(every_layer())
    for name in own_modules():
        theirs = inspect.getsource(getattr(own_modules_file, name))
        assert source.count(theirs) == 1
    classes = [line for line in source.splitlines() if line.startswith("class ")]
    assert [line.split("(")[0][6:] for line in classes] == [*own_modules(), "EveryLayer"]
    plain = to_source(branching())
    assert not any(f"class {name}(" in plain for name in own_modules())


@pytest.mark.parametrize(
    ("layer", "uses"),
    [(Pad(top=1, bottom=0, left=0, right=0), True), (Slice(), False), (conv(2), False)],
)
def test_functional_is_imported_where_it_is_used(layer: Layer, uses: bool) -> None:
    nodes = (node("input", Input(channels=2, height=4, width=4)), node("F", layer, "input"))
    source = to_source(Architecture(name="F", nodes=nodes, outputs=("input", "F")))
    assert ("from torch.nn import functional as F\n" in source) == uses
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(source, namespace)
    assert len(namespace["FNet"]()(torch.rand(2, 2, 4, 4))) == 2


def test_a_network_named_like_an_own_module_gets_another_name() -> None:
    architecture = Architecture(name="StochasticDepth", nodes=every_layer().nodes, outputs=every_layer().outputs)
    assert network_class_name(architecture) == "StochasticDepthNet"
    assert to_source(architecture).count("class StochasticDepth(") == 1


def test_frozen_parts_are_written_at_their_outermost_block() -> None:
    source = to_source(frozen())
    assert "        ).requires_grad_(False)\n        self.layer1 = nn.Sequential(\n" in source
    assert "            Layer1Block().requires_grad_(False),\n            Layer1Block(),\n" in source
    assert "nn.Conv2d(8, 4, kernel_size=3, padding=1).requires_grad_(False),  # 4×8×8\n" in source
    assert source.count("requires_grad_") == 3
    assert "requires_grad_" not in to_source(branching())
    whole = Architecture(
        name="whole", nodes=tuple(replace(n, frozen=True) for n in frozen().nodes), outputs=frozen().outputs
    )
    assert "        self.fc = nn.Linear(256, 10)\n        self.requires_grad_(False)\n\n" in to_source(whole)
    assert to_source(whole).count("requires_grad_") == 1


def test_the_source_of_own_modules_is_found_in_a_zipped_package(tmp_path: Path) -> None:
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in (ROOT / "explorer").rglob("*.py"):
            file.write(path, path.relative_to(ROOT))
        file.write(ROOT / "tests" / "export" / "every_layer.py", "every_layer.py")
    code = (
        f"import sys; sys.path.insert(0, {str(archive)!r})\n"
        "import explorer.export, every_layer\n"
        f"assert explorer.__file__.startswith({str(archive)!r}), explorer.__file__\n"
        "print(explorer.export.to_source(every_layer.every_layer()), end='')\n"
        "assert 'torch' not in sys.modules"
    )
    python = [sys.executable, "-P", "-X", "utf8"]
    done = subprocess.run(
        [*python, "-c", code], check=False, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == to_source(every_layer())
