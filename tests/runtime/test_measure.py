"""Measurements on the meta device against the same modules run on the CPU."""

import pytest
import torch
from torch import nn

from explorer import layers as L  # noqa: N812
from explorer.architecture import Architecture, Node
from explorer.architecture.files import Project, dumps, loads
from explorer.inference import infer
from explorer.layers import Conv2d, Opaque, Shape
from explorer.runtime.measure import measure, measured
from explorer.runtime.modules import build_module
from tests.runtime.saved import saved_bytes

BATCH = 4
MODULES: list[tuple[str, str, tuple[Shape, ...]]] = [
    ("GLU", "dim=1", ((4, 6, 5),)),
    ("Conv2d", "in_channels=3, out_channels=4, kernel_size=(3, 2), padding=1", ((3, 6, 5),)),
    ("Conv1d", "in_channels=3, out_channels=4, kernel_size=3", ((3, 6),)),
    ("Conv3d", "in_channels=1, out_channels=2, kernel_size=2, bias=False", ((1, 4, 4, 4),)),
    ("BatchNorm2d", "num_features=3", ((3, 6, 5),)),
    ("RMSNorm", "normalized_shape=[6, 5]", ((3, 6, 5),)),
    ("Unfold", "kernel_size=2", ((3, 6, 5),)),
    ("MaxPool2d", "kernel_size=2", ((3, 6, 5),)),
    ("Hardshrink", "lambd=0.3", ((7,),)),
    ("Softmax2d", "", ((3, 6, 5),)),
    ("Bilinear", "in1_features=3, in2_features=4, out_features=2", ((3,), (4,))),
    ("Identity", "", ((3,),)),
]


@pytest.mark.parametrize(("module", "arguments", "shapes"), MODULES, ids=[m[0] for m in MODULES])
def test_what_is_measured_is_what_the_module_does(module: str, arguments: str, shapes: tuple[Shape, ...]) -> None:
    layer = measured(Opaque(module=module, arguments=arguments), shapes)
    assert layer.fault(shapes) is None
    made: nn.Module = getattr(nn, module)(**layer.call(shapes).arguments)
    inputs = [torch.rand(BATCH, *shape) for shape in shapes]
    output = made(*inputs)
    assert layer.output_shape(shapes) == tuple(output.shape[1:])
    assert layer.num_parameters(shapes) == sum(p.numel() for p in made.parameters())
    assert layer.num_buffers(shapes) == sum(b.numel() for b in made.buffers() if b.dim())
    assert layer.is_view(shapes) == (output.data_ptr() == inputs[0].data_ptr())
    kept = layer.kept(shapes, layer.output_shape(shapes))
    expected = sum(inputs[port].nbytes for port in kept.inputs) + (output.nbytes if kept.output else 0)
    expected += BATCH * (4 * kept.values + kept.num_bytes) + kept.batch_bytes
    assert saved_bytes(made, inputs, [*made.parameters(), *made.buffers()]) == expected


def test_a_convolution_costs_what_its_own_layer_says() -> None:
    shapes: tuple[Shape, ...] = ((3, 8, 8),)
    opaque = measured(Opaque(module="Conv2d", arguments="in_channels=3, out_channels=4, kernel_size=3"), shapes)
    conv = Conv2d(out_channels=4, kernel_size=(3, 3))
    output = conv.output_shape(shapes)
    assert opaque.macs(shapes, output) == conv.macs(shapes, output) > 0
    assert opaque.kept(shapes, output) == conv.kept(shapes, output)


def test_a_module_that_needs_several_images_is_known_to() -> None:
    one_pixel: tuple[Shape, ...] = ((3, 1, 1),)
    assert measured(Opaque(module="BatchNorm2d", arguments="num_features=3"), one_pixel).needs_several_images(one_pixel)
    larger: tuple[Shape, ...] = ((3, 2, 1),)
    assert not measured(Opaque(module="BatchNorm2d", arguments="num_features=3"), larger).needs_several_images(larger)


@pytest.mark.parametrize(
    ("module", "arguments", "shape", "says"),
    [
        ("GLU", "dim=1", (3, 6, 5), r"torch refuses: Halving dimension must be even, but dimension 1 is size 3"),
        ("GLU", "size=1", (4, 6, 5), r"torch refuses: .*unexpected keyword argument 'size'"),
        ("Con2d", "", (3, 6, 5), r"torch.nn has no module 'Con2d'; did you mean Conv2d"),
        ("Module", "", (3,), r"torch.nn has no module 'Module'"),
        ("functional", "", (3,), r"torch.nn has no module 'functional'"),
        ("Parameter", "", (3,), r"torch.nn has no module 'Parameter'"),
        ("Sequential", "", (3,), r"Sequential holds other modules"),
        ("TransformerEncoder", "num_layers=1", (3, 8), r"TransformerEncoder holds other modules"),
        ("LazyLinear", "out_features=3", (3,), r"LazyLinear has no sizes before its first batch; use Linear"),
        ("LSTM", "input_size=3, hidden_size=4", (5, 3), r"LSTM returns a tuple"),
        ("Flatten", "start_dim=0", (3,), r"mixes the images of a batch: 2 of them give 6"),
        ("MSELoss", "", (3,), r"torch refuses: .*missing 1 required positional argument"),
        ("ReLU", "inplace=True", (3,), r"inplace writes over the input"),
        ("AvgPool2d", "kernel_size=9", (3, 4, 4), r"torch refuses: "),
    ],
)
def test_what_cannot_be_a_layer_is_refused_with_the_reason(
    module: str, arguments: str, shape: Shape, says: str
) -> None:
    layer = Opaque(module=module, arguments=arguments)
    with pytest.raises(ValueError, match=says) as refused:
        measure(layer, (shape,))
    fault = measured(layer, (shape,)).fault((shape,))
    assert fault is not None
    assert fault.message == f"{module}: {refused.value}"


def test_nothing_is_allocated_and_no_random_number_drawn() -> None:
    state = torch.get_rng_state()
    layer = Opaque(module="Linear", arguments="in_features=1000000, out_features=1000000")
    assert measured(layer, ((1_000_000,),)).num_parameters(((1_000_000,),)) == 10**12 + 10**6
    assert torch.equal(torch.get_rng_state(), state)


def test_a_file_opens_with_the_numbers_and_is_written_back_whole() -> None:
    shape = (4, 6, 5)
    glu = measured(Opaque(module="GLU", arguments="dim=1"), (shape,))
    refused = measured(Opaque(module="GLU", arguments="dim=1"), ((3, 6, 5),))
    nodes = (
        Node(id="input", layer=L.Input(channels=4, height=6, width=5), inputs=()),
        Node(id="glu", layer=glu, inputs=("input",)),
        Node(id="again", layer=refused, inputs=("glu",)),
    )
    text = dumps(Project(architecture=Architecture(name="opaque", nodes=nodes, outputs=("again",))))
    architecture = loads(text).architecture
    assert architecture["glu"].layer == glu
    assert architecture["again"].layer == refused
    assert dumps(Project(architecture=architecture)) == text
    assert infer(architecture).nodes["glu"].output_shape == (2, 6, 5)
    assert [issue.node_id for issue in infer(architecture).errors] == ["again"]


def test_a_measured_module_is_built_and_runs() -> None:
    layer = measured(Opaque(module="Conv2d", arguments="in_channels=3, out_channels=4, kernel_size=3"), ((3, 6, 5),))
    nodes = (
        Node(id="input", layer=L.Input(channels=3, height=6, width=5), inputs=()),
        Node(id="conv", layer=layer, inputs=("input",)),
    )
    network = build_module(Architecture(name="opaque", nodes=nodes, outputs=("conv",)), seed=0)
    output = network(torch.rand(2, 3, 6, 5))
    assert isinstance(output, torch.Tensor)
    assert output.shape == (2, 4, 4, 3)
