"""What menus and searches offer."""

import pytest

from explorer.layers import Category, layer_types
from explorer.look import catalogue


def test_every_type_but_the_input_is_in_its_category_once() -> None:
    groups = catalogue.by_category()
    offered = [layer_type for types in groups.values() for layer_type in types]
    assert sorted(t.__name__ for t in offered) == sorted({t.__name__ for t in layer_types()} - {"Input"})
    assert all(t.category is category for category, types in groups.items() for t in types)
    assert all(catalogue.category_name(category) for category in Category)


def test_the_most_used_are_there_in_the_order_of_a_network() -> None:
    order = list(Category)
    used = catalogue.most_used()
    assert len(used) == len(catalogue._MOST_USED)
    assert [order.index(t.category) for t in used if t.__name__ != "Flatten"] == sorted(
        order.index(t.category) for t in used if t.__name__ != "Flatten"
    )


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("relu", "ReLU"),
        ("conv", "Conv2d"),
        ("linear", "Linear"),
        ("add", "Add"),
        ("swish", "SiLU"),
        ("dropout", "Dropout"),
        ("batchnorm", "BatchNorm2d"),
        ("adaptivemax", "AdaptiveMaxPool2d"),
        ("average pool", "AvgPool2d"),
        ("  ", "Conv2d"),
    ],
)
def test_the_best_match_comes_first(text: str, first: str) -> None:
    assert catalogue.found(text)[0].__name__ == first


def test_a_search_reads_summaries_and_needs_all_words() -> None:
    assert any(t.__name__ == "Conv2d" for t in catalogue.found("kernels"))
    assert catalogue.found("kernels xyzzy") == ()
