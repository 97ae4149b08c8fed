"""The quick-add line: what it asks for, checked against torch's own arguments, and how it may go on."""

import pytest

from explorer.layers import (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dropout,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
)
from explorer.look.quick_completions import completions
from explorer.look.quick_text import parsed
from explorer.session.dragging import ChosenLayer, DraggedBlock

SHAPE = (3, 32, 32)


def _layer(text: str) -> Layer:
    what = parsed(text).what
    assert isinstance(what, ChosenLayer)
    return what.made(SHAPE)


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("conv 64 3", Conv2d(out_channels=64, kernel_size=(3, 3), padding=(1, 1))),
        ("conv 64 3x3 s2 p1", Conv2d(out_channels=64, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))),
        ("conv 64 3 2 0", Conv2d(out_channels=64, kernel_size=(3, 3), stride=(2, 2))),
        ("Conv2d 8 7", Conv2d(out_channels=8, kernel_size=(7, 7), padding=(3, 3))),
        ("conv 8 k 2", Conv2d(out_channels=8, kernel_size=(2, 2))),
        ("conv 8 3x5 same g2", Conv2d(out_channels=8, kernel_size=(3, 5), padding="same", groups=2)),
        ("conv 8 1 no-bias", Conv2d(out_channels=8, kernel_size=(1, 1), bias=False)),
        ("conv stride=2 out=8", Conv2d(out_channels=8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))),
        ("conv", Conv2d(out_channels=3, kernel_size=(3, 3), padding=(1, 1))),
        ("maxpool 2", MaxPool2d(kernel_size=(2, 2), stride=(2, 2))),
        ("maxpool 3 2", MaxPool2d(kernel_size=(3, 3), stride=(2, 2))),
        ("relu", ReLU()),
        ("linear 10", Linear(out_features=10)),
        ("fc 10", Linear(out_features=10)),
        ("bn", BatchNorm2d()),
        ("gap 1", AdaptiveAvgPool2d(output_size=(1, 1))),
        ("dropout 0.3", Dropout(p=0.3)),
        ("dropout p .3", Dropout(p=0.3)),
    ],
)
def test_layers(text: str, layer: Layer) -> None:
    assert _layer(text) == layer


@pytest.mark.parametrize(
    ("text", "block_id", "values"),
    [
        ("residual 64", "residual", {"channels": 64}),
        ("residual 64 s2", "residual", {"channels": 64, "stride": 2}),
        ("fire 16 64", "fire", {"squeeze": 16, "expand": 64}),
        ("vgg 3 128", "vgg-stage", {"convolutions": 3, "channels": 128}),
        ("res", "residual", {}),
    ],
)
def test_blocks(text: str, block_id: str, values: dict[str, int]) -> None:
    what = parsed(text).what
    assert isinstance(what, DraggedBlock)
    assert (what.block.id, what.values) == (block_id, values)


def test_a_layer_that_joins_takes_names_of_nodes() -> None:
    asked = parsed("add layer1.0.relu bn2", ("bn1", "bn2", "layer1.0.relu"))
    assert asked.names == ("layer1.0.relu", "bn2")
    assert isinstance(asked.what, ChosenLayer)
    assert asked.what.layer_type is Add
    joined = parsed("cat bn1", ("bn1",)).what
    assert isinstance(joined, ChosenLayer)
    assert joined.layer_type is Concat


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "type a layer or a block"),
        ("qqq", "nothing is called 'qqq'"),
        ("conv 0", "out_channels received 0; use a whole number from 1"),
        ("conv big", "'big' is none of its values; it has in_channels, out_channels"),
        ("residual 64 s3", "1 or 2"),
        ("add nobody", "no node is called 'nobody'"),
        ("relu 3", "'3' is none of its values"),
    ],
)
def test_what_cannot_be_says_what_could(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parsed(text, ("bn1",))


def test_completions_lead_on_to_lines_that_can_be_read() -> None:
    for start in ("", "c", "conv", "max", "res", "re", "dr", "d", "lin"):
        found = completions(start)
        assert found
        for completion in found:
            parsed(completion.text, ("a", "b"))
    assert completions("res")[0].title == "Residual block"
    assert completions("re")[0].title == "ReLU"


def test_behind_a_name_come_its_values_that_are_not_given_yet() -> None:
    titles = [c.title for c in completions("conv 64 ")]
    assert "kernel_size" in titles
    assert "out_channels" not in titles
    (bias,) = (c.text for c in completions("conv 64 ") if c.title == "bias")
    assert _layer(bias) == Conv2d(out_channels=64, kernel_size=(3, 3), padding=(1, 1), bias=False)
    assert [c.title for c in completions("add b", ("bn1", "conv1", "bn2"))] == ["bn2", "bn1"]
