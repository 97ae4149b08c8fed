"""Every network of the catalogue can be made to score another number of classes; torch says how many it then scores."""

import pytest
import torch

from explorer import zoo
from explorer.architecture import edits
from explorer.inference import infer
from explorer.inference.class_scores import num_scores, scoring_layers, with_scores
from explorer.runtime.modules import build_module


@pytest.mark.parametrize("entry", zoo.entries(), ids=lambda entry: entry.id)
def test_each_network_can_score_seven_classes(entry: zoo.Entry) -> None:
    architecture = entry.build()
    inference = infer(architecture)
    if num_scores(architecture, inference) is None:
        # A module by itself, which gives out feature maps.
        assert entry.id.startswith("inception-")
        return
    layers = scoring_layers(architecture, inference)
    mended = with_scores(architecture, layers, 7)
    if entry.id == "lenet5-1998":
        # Its output compares with drawings of the ten digits.
        assert (layers, mended) == ((), None)
        return
    assert mended is not None
    assert num_scores(mended, infer(mended)) == 7
    changed = {node.id for node in mended if node != architecture[node.id]}
    assert changed == set(layers)


@pytest.mark.parametrize("network", ["lenet5", "squeezenet1-1", "googlenet"])
def test_torch_agrees(network: str) -> None:
    architecture = zoo.entry(network).build()
    mended = with_scores(architecture, scoring_layers(architecture, infer(architecture)), 7)
    assert mended is not None
    with torch.device("meta"):
        module = build_module(mended, seed=None)
        out = module(torch.empty(2, *mended.input_shape))
    outputs = out if isinstance(out, tuple) else (out,)
    assert {tuple(output.shape) for output in outputs} == {(2, 7)}


def test_what_is_no_vector_of_scores_is_not_offered() -> None:
    architecture = zoo.entry("lenet5").build()
    maps = edits.set_outputs(architecture, ["conv2"])
    inference = infer(maps)
    assert num_scores(maps, inference) is None
