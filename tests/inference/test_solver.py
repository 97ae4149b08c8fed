"""The reverse solver: what it offers holds, is sorted, and where brute force finds a value it finds one too."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import layers as L  # noqa: N812
from explorer.inference.input_sizes import input_sizes
from explorer.inference.solver import goals, solutions
from explorer.layers import Layer, Shape
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, max_pool

small = st.integers(1, 4)
pairs = st.tuples(small, small)
sides = st.integers(0, 3)
maps = st.tuples(st.sampled_from([4, 8]), st.integers(1, 13), st.integers(1, 13))
targets = st.tuples(st.integers(1, 15), st.integers(1, 15))

WINDOWS: dict[str, st.SearchStrategy[Layer]] = {
    "Conv2d": st.builds(
        L.Conv2d,
        out_channels=st.just(4),
        kernel_size=pairs,
        stride=pairs,
        padding=st.one_of(st.tuples(sides, sides), st.tuples(sides, sides, sides, sides), st.just("same")),
        dilation=pairs,
        padding_mode=st.sampled_from(["zeros", "zeros", "reflect", "circular"]),
    ),
    "MaxPool2d": st.builds(
        L.MaxPool2d,
        kernel_size=pairs,
        stride=pairs,
        padding=st.tuples(sides, sides),
        dilation=pairs,
        ceil_mode=st.booleans(),
    ),
    "AvgPool2d": st.builds(
        L.AvgPool2d, kernel_size=pairs, stride=pairs, padding=st.tuples(sides, sides), ceil_mode=st.booleans()
    ),
    "LPPool2d": st.builds(L.LPPool2d, kernel_size=pairs, stride=pairs, ceil_mode=st.booleans()),
    "ConvTranspose2d": st.builds(
        L.ConvTranspose2d,
        out_channels=st.just(4),
        kernel_size=pairs,
        stride=pairs,
        padding=st.tuples(sides, sides),
        output_padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
        dilation=pairs,
    ),
    "Subsampling": st.builds(L.Subsampling, kernel_size=pairs, stride=pairs),
}
OTHERS: dict[str, st.SearchStrategy[Layer]] = {
    "AdaptiveAvgPool2d": st.builds(L.AdaptiveAvgPool2d, output_size=pairs),
    "AdaptiveMaxPool2d": st.builds(L.AdaptiveMaxPool2d, output_size=pairs),
    "Upsample": st.builds(L.Upsample, height=st.one_of(st.none(), small), scale_width=st.sampled_from([0.5, 2.0])),
    "Pad": st.builds(L.Pad, top=sides, left=sides),
    "PixelShuffle": st.builds(L.PixelShuffle, upscale_factor=small),
}


@pytest.mark.parametrize("name", sorted({**WINDOWS, **OTHERS}))
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_solutions_hold_and_come_nearest_first(name: str, data: st.DataObject) -> None:
    layer = data.draw({**WINDOWS, **OTHERS}[name])
    inputs: tuple[Shape, ...] = (data.draw(maps),)
    target = data.draw(targets)
    found = solutions(layer, inputs, target)
    for solution in found:
        assert solution.layer.fault(inputs) is None
        assert solution.layer.output_shape(inputs)[1:] == target
        changed = [n for n, v in layer.values().items() if solution.layer.values()[n] != v]
        assert solution.distance // 100 == len(changed)
        assert all(parameter in solution.text for parameter in changed)
        assert changed or solution.text == "as it is"
    distances = [solution.distance for solution in found]
    assert distances == sorted(distances)
    assert len({solution.layer for solution in found}) == len(found) <= 12
    assert len({solution.text for solution in found}) == len(found)
    assert solutions(layer, inputs, target, 1) == found[:1]


@pytest.mark.parametrize("name", sorted(WINDOWS))
@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data())
def test_what_brute_force_finds_the_solver_finds(name: str, data: st.DataObject) -> None:
    layer = data.draw(WINDOWS[name])
    inputs: tuple[Shape, ...] = (data.draw(maps),)
    target = data.draw(targets)
    if not solutions(layer, inputs, target):
        assert not _brute_force(layer, inputs, target)


def _brute_force(layer: Layer, inputs: tuple[Shape, ...], target: tuple[int, int]) -> bool:
    """Whether any kernel, stride, padding, dilation and output padding up to 4 makes the target, alike on both axes."""
    names = [n for n in ("kernel_size", "stride", "padding", "dilation", "output_padding") if n in layer.values()]
    least = {"padding": 0, "output_padding": 0}
    for values in product(*(range(least.get(name, 1), 4) for name in names)):
        tried = layer
        for name, value in zip(names, values, strict=True):
            tried = tried.with_value(name, (value, value))
        if tried.fault(inputs) is None and tried.output_shape(inputs)[1:] == target:
            return True
    return False


def test_the_ways_of_the_textbooks_come_first() -> None:
    conv3 = L.Conv2d(out_channels=8, kernel_size=(3, 3))
    image: tuple[Shape, ...] = ((3, 32, 32),)
    assert [s.text for s in solutions(conv3, image, (32, 32), 3)] == [
        "padding 1",
        "padding same",
        "kernel_size 1",
    ]
    assert "stride 2, padding 1" in [s.text for s in solutions(conv3, image, (16, 16))]
    pool = L.MaxPool2d(kernel_size=(2, 2), stride=(2, 2))
    assert [s.text for s in solutions(pool, image, (15, 15), 1)] == ["kernel_size 3"]
    assert solutions(pool, image, (16, 16), 1)[0].text == "as it is"
    up = L.ConvTranspose2d(out_channels=8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
    assert solutions(up, image, (64, 64), 1)[0].text == "output_padding 1"
    assert solutions(L.AdaptiveAvgPool2d(output_size=(1, 1)), image, (7, 7))[0].text == "output_size 7"
    assert solutions(L.Pad(), ((3, 28, 28),), (32, 32))[0].layer == L.Pad(top=2, bottom=2, left=2, right=2)


def test_unlike_axes_get_unlike_values() -> None:
    found = solutions(L.Conv2d(out_channels=8, kernel_size=(3, 3)), ((3, 7, 9),), (7, 7))
    assert found[0].text == "padding 1×0"


def test_a_kernel_that_does_not_fit_is_solved_too() -> None:
    layer = L.Conv2d(out_channels=8, kernel_size=(11, 11), stride=(4, 4))
    assert layer.fault(((3, 5, 5),)) is not None
    assert solutions(layer, ((3, 5, 5),), (3, 3))


def test_what_no_value_makes_is_said_so() -> None:
    pool = L.MaxPool2d(kernel_size=(2, 2), stride=(2, 2))
    assert solutions(pool, ((3, 32, 32),), (40, 40)) == ()
    assert solutions(pool, ((3, 32, 32),), (0, 4)) == ()
    assert solutions(L.ReLU(), ((3, 32, 32),), (16, 16)) == ()
    assert solutions(L.Linear(out_features=10), ((120,),), (1, 1)) == ()


def test_goals_can_be_reached() -> None:
    shape: Shape = (8, 15, 20)
    for layer in (
        L.Conv2d(out_channels=8, kernel_size=(3, 3)),
        L.MaxPool2d(kernel_size=(2, 2), stride=(2, 2)),
        L.ConvTranspose2d(out_channels=8, kernel_size=(2, 2), stride=(2, 2)),
        L.Upsample(),
    ):
        wanted = goals(layer, (shape,))
        assert wanted
        for goal in wanted:
            assert solutions(layer, (shape,), goal.target)
    texts = [goal.text for goal in goals(L.Conv2d(out_channels=8, kernel_size=(3, 3)), (shape,))]
    assert texts == ["keep the size", "halve it", "make it one pixel"]
    assert "double it" in [goal.text for goal in goals(L.Upsample(), (shape,))]
    assert goals(L.Linear(out_features=10), ((120,),)) == ()


def test_input_sizes_make_a_fixed_classifier_fit() -> None:
    net = Builder("fixed", 3, 224, 224)
    net.add("conv1", conv(96, 11, 4))
    net.add("pool1", max_pool(3, 2))
    net.add("conv2", conv(256, 5, padding=2))
    net.add("pool2", max_pool(3, 2))
    net.add("flatten", flatten())
    net.add("fc1", L.Linear(in_features=256 * 13 * 13, out_features=10))
    architecture = net.build()
    assert input_sizes(architecture, "fc1") == ((227, 227),)
    net = Builder("does not depend on it", 3, 32, 32)
    net.add("pool", adaptive_avg_pool(2))
    net.add("flatten", flatten())
    net.add("fc1", L.Linear(in_features=13, out_features=10))
    assert input_sizes(net.build(), "fc1") == ()


def test_the_smallest_image_that_a_network_takes_is_found() -> None:
    net = Builder("deep", 3, 16, 24)
    for i in range(5):
        net.add(f"conv{i}", conv(8, 3))
        net.add(f"pool{i}", max_pool(2))
    architecture = net.build()
    # Backwards from one pixel: twice, plus 2 for the convolution; five times.
    ((height, width),) = input_sizes(architecture, "pool4")[:1]
    assert min(height, width) == 94
    assert width - height == 8
