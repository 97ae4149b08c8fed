"""Values as people type them: what each kind of hyper-parameter makes of a text, and what it refuses."""

import pytest

from explorer.layers import BatchNorm2d, Conv2d, Flatten, HyperParameter, Layer, Linear, MaxPool2d, layer_types
from explorer.look import values
from explorer.look.typed import typed


def _parameter(layer_type: type[Layer], name: str) -> HyperParameter:
    return next(p for p in layer_type.hyper_parameters if p.name == name)


@pytest.mark.parametrize(
    ("layer_type", "name", "text", "value"),
    [
        (Conv2d, "out_channels", "64", 64),
        (Conv2d, "out_channels", " 1,024 ", 1024),
        (Conv2d, "kernel_size", "3", (3, 3)),
        (Conv2d, "kernel_size", "3x5", (3, 5)),
        (Conv2d, "kernel_size", "(3, 5)", (3, 5)),
        (Conv2d, "kernel_size", "3×5", (3, 5)),
        (Conv2d, "padding", "same", "same"),
        (Conv2d, "padding", "1", (1, 1)),
        (Conv2d, "padding", "0 1 0 1", (0, 1, 0, 1)),
        (Conv2d, "in_channels", "auto", None),
        (Conv2d, "bias", "off", False),
        (Conv2d, "padding_mode", "Reflect", "reflect"),
        (BatchNorm2d, "eps", "1e-3", 0.001),
        (BatchNorm2d, "momentum", ".2", 0.2),
        (Flatten, "end_dim", "−1", -1),
        (MaxPool2d, "stride", "2 2", (2, 2)),
        (Linear, "out_features", "10", 10),
    ],
)
def test_what_is_meant(layer_type: type[Layer], name: str, text: str, value: object) -> None:
    assert typed(_parameter(layer_type, name), text, "it") == value


@pytest.mark.parametrize(
    ("layer_type", "name", "text"),
    [
        (Conv2d, "out_channels", "0"),
        (Conv2d, "out_channels", "3.5"),
        (Conv2d, "out_channels", ""),
        (Conv2d, "kernel_size", "3x3x3"),
        (Conv2d, "kernel_size", "big"),
        (Conv2d, "padding", "1 2 3"),
        (Conv2d, "bias", "perhaps"),
        (BatchNorm2d, "eps", "tiny"),
    ],
)
def test_what_is_refused_says_what_would_fit(layer_type: type[Layer], name: str, text: str) -> None:
    with pytest.raises(ValueError, match=rf"^conv1: {name} received .*; use ") as refused:
        typed(_parameter(layer_type, name), text, "conv1")
    assert len(str(refused.value)) < 200


def test_what_a_card_shows_reads_back_as_the_value() -> None:
    seen = 0
    for layer_type in layer_types():
        for parameter in (p for p in layer_type.hyper_parameters if p.on_node):
            value = getattr(layer_type.suggested((16, 32, 32)), parameter.name)
            assert typed(parameter, values.short(parameter.kind, value, as_one=True), "it") == value
            seen += 1
    assert seen > 20
