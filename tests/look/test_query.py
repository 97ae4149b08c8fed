"""What a query finds, against plain Python over the network; and what is said of a text that is none."""

import pytest

from explorer.architecture import Architecture, edits
from explorer.inference import infer
from explorer.inference.memory import memory
from explorer.layers import BatchNorm2d, Conv2d, Linear, MaxPool2d
from explorer.look.query import QueryError, matching, parse
from explorer.zoo import entry


@pytest.fixture(scope="module")
def resnet() -> Architecture:
    return entry("resnet18").build()


def _found(architecture: Architecture, text: str) -> set[str]:
    return set(matching(parse(text), infer(architecture)))


def _convolutions(architecture: Architecture) -> dict[str, Conv2d]:
    return {node.id: node.layer for node in architecture if isinstance(node.layer, Conv2d)}


def test_a_word_is_looked_for_in_names_types_and_shapes(resnet: Architecture) -> None:
    assert _found(resnet, "layer3.0") == {n.id for n in resnet if "layer3.0" in n.id}
    assert _found(resnet, "BATCH") == {n.id for n in resnet if isinstance(n.layer, BatchNorm2d)}
    shapes = {i: r.output_shape for i, r in infer(resnet).nodes.items()}
    assert _found(resnet, "256x14x14") == {i for i, shape in shapes.items() if shape == (256, 14, 14)}
    assert _found(resnet, "14×14") == {i for i, shape in shapes.items() if shape is not None and shape[1:] == (14, 14)}


def test_hyper_parameters_are_compared(resnet: Architecture) -> None:
    convolutions = _convolutions(resnet)
    pool = {n.id for n in resnet if isinstance(n.layer, MaxPool2d)}
    assert _found(resnet, "kernel>3") == {i for i, c in convolutions.items() if c.kernel_size[0] > 3}
    assert _found(resnet, "stride=2 type:conv") == {i for i, c in convolutions.items() if c.stride == (2, 2)}
    assert _found(resnet, "stride=2 -type:conv") == pool
    assert _found(resnet, "kernel=3x3") == {i for i, c in convolutions.items() if c.kernel_size == (3, 3)} | pool
    assert _found(resnet, "bias=yes") >= {n.id for n in resnet if isinstance(n.layer, Linear)}
    assert _found(resnet, "bias=no") == set(convolutions), "torchvision's residual networks have none"
    assert _found(resnet, "bias!=no") == _found(resnet, "bias=yes")


def test_one_number_of_a_pair_that_fits_is_enough() -> None:
    inception = entry("inception-v3").build()
    wide = {i for i, c in _convolutions(inception).items() if 7 in c.kernel_size}
    assert wide
    assert _found(inception, "kernel=7 type:conv") == wide
    tall = {i for i, c in _convolutions(inception).items() if c.kernel_size == (7, 1)}
    assert _found(inception, "kernel=7x1") == tall < wide


def test_numbers_that_follow_are_compared_in_the_units_of_the_screen(resnet: Architecture) -> None:
    reports = infer(resnet).nodes
    assert _found(resnet, "params>1M") == {i for i, r in reports.items() if (r.num_parameters or 0) > 1_000_000}
    assert _found(resnet, "macs>=115.6m") == {i for i, r in reports.items() if (r.macs or 0) >= 115_600_000}
    assert _found(resnet, "bytes>1MB") == {i for i, r in reports.items() if (r.output_bytes or 0) > 1 << 20}
    fields = {i: r.receptive_field for i, r in reports.items()}
    assert _found(resnet, "rf>=100") == {i for i, f in fields.items() if f is not None and max(f.size) >= 100}
    assert _found(resnet, "rf>=100") != set()


def test_shapes_are_compared_by_axis_by_side_and_whole(resnet: Architecture) -> None:
    reports = infer(resnet).nodes
    shapes = {i: r.output_shape or () for i, r in reports.items()}
    assert _found(resnet, "out=56") == {i for i, shape in shapes.items() if 56 in shape}
    assert _found(resnet, "out=64") == {i for i, shape in shapes.items() if 64 in shape}
    assert _found(resnet, "out>=112") == {i for i, s in shapes.items() if max(s[1:] if len(s) == 3 else s) >= 112}
    assert _found(resnet, "out=64x56x56") == {i for i, shape in shapes.items() if shape == (64, 56, 56)}
    assert _found(resnet, "in=3x224x224") == {"conv1"}
    assert _found(resnet, "channels=512 height=7") == {i for i, s in shapes.items() if s[:2] == (512, 7)}


def test_memory_is_asked_for_only_where_a_term_needs_it(resnet: Architecture) -> None:
    assert not parse("kernel>3 params>1M").needs_memory
    query = parse("memory>3MB")
    assert query.needs_memory
    inference = infer(resnet)
    kept = memory(resnet, inference, batch_size=1).nodes
    found = matching(query, inference, kept)
    assert found == tuple(i for i in inference.nodes if kept[i] > 3 * 1024**2) != ()


def test_states_are_found(resnet: Architecture) -> None:
    assert _found(resnet, "is:input") == {"input"}
    assert _found(resnet, "is:output") == set(resnet.outputs)
    broken = edits.set_value(resnet, "fc", "in_features", 7)
    assert _found(broken, "is:error") == {"fc"}
    assert _found(broken, "is!=error") == {n.id for n in broken} - {"fc"}
    frozen = edits.set_frozen(resnet, ("conv1",), True)
    assert _found(frozen, "is:frozen") == {"conv1"}


def test_what_is_unknown_is_not_found_by_its_numbers(resnet: Architecture) -> None:
    broken = edits.set_value(resnet, "fc", "in_features", 7)
    assert "fc" not in _found(broken, "params>=0") | _found(broken, "out!=3") | _found(broken, "out=1000")


def test_texts_are_held_or_equal(resnet: Architecture) -> None:
    assert _found(resnet, "type=conv2d") == set(_convolutions(resnet))
    assert _found(resnet, "type=conv") == set()
    assert _found(resnet, "name:downsample") == {n.id for n in resnet if "downsample" in n.id}
    assert _found(resnet, "category:pool") == {n.id for n in resnet if "Pool" in n.layer.type_name}
    assert _found(resnet, "block=layer1.0") == {n.id for n in resnet if n.id.rpartition(".")[0] == "layer1.0"}


def test_an_empty_query_finds_nothing(resnet: Architecture) -> None:
    assert _found(resnet, "   ") == set()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kernl>3", ("kernl", "kernel")),
        ("qqq=3", ("qqq", "try kernel>3")),
        ("kernel>", ("waits for a value", "kernel=2")),
        ("params>many", ("params", "many", "1.5M")),
        ("params>3MB", ("not in bytes", "3M")),
        (">3", ("comes first", "kernel>3")),
        ("type>conv", ("type:conv",)),
        ("is:broken", ("is:broken", "error", "frozen")),
        ("out>=56x56", ("out=56x56",)),
        ("bias=maybe", ("bias", "maybe", "yes or no")),
        ("kernel=abc", ("kernel", "abc", "3x5")),
        ("padding>same", ("padding=same",)),
    ],
)
def test_what_is_not_understood_is_named_with_what_would_fit(text: str, said: tuple[str, ...]) -> None:
    with pytest.raises(QueryError) as refusal:
        parse(f"conv {text}")
    assert all(words in str(refusal.value) for words in said), str(refusal.value)
