"""Every registered layer type is explained, in words of its own."""

import re

import pytest

from explorer.layers import Layer, layer_types
from explorer.layers.explained import explained_types, explanation


def test_all_types_and_no_others_are_explained() -> None:
    assert explained_types() == {layer_type.__name__ for layer_type in layer_types()}


@pytest.mark.parametrize("layer_type", layer_types(), ids=lambda layer_type: layer_type.__name__)
def test_an_explanation_says_more_than_the_summary(layer_type: type[Layer]) -> None:
    about = explanation(layer_type.__name__)
    assert about.formula
    assert about.source
    assert layer_type.summary not in about.text
    assert 2 <= len(re.findall(r"\.(?= |$)", about.text)) <= 4


def test_an_unknown_type_has_none() -> None:
    with pytest.raises(KeyError):
        explanation("Conv9d")


def test_no_two_types_share_a_text() -> None:
    texts = [explanation(name).text for name in explained_types()]
    assert len(set(texts)) == len(texts)
