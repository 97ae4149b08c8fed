"""Every network, family and kind of block of the catalogue is explained, and no text is there twice."""

import re

import pytest

from explorer import zoo
from explorer.zoo.blocks import block_entries
from explorer.zoo.explained import (
    block_explanation,
    explained_kinds,
    family_explanation,
    network_explanation,
    network_titled,
)


@pytest.mark.parametrize("entry", zoo.entries(), ids=lambda entry: entry.id)
def test_a_network_is_explained_in_a_few_sentences(entry: zoo.Entry) -> None:
    about = network_explanation(entry.id)
    assert about.family == family_explanation(entry.family)
    sentences = re.findall(r"\.(?= |$)", f"{about.text} {about.family}")
    assert len(sentences) >= 3
    assert 3 <= len(re.findall(r"\.(?= |$)", about.family)) <= 6
    assert entry.idea not in {about.text, about.family}
    assert re.search(r"\b(19|20)\d\d\b", entry.paper)


def test_no_two_networks_share_a_text() -> None:
    texts = [network_explanation(entry.id).text for entry in zoo.entries()]
    assert len(set(texts)) == len(texts)


def test_all_kinds_of_blocks_and_no_others_are_explained() -> None:
    built = {block.kind for entry in zoo.entries() for block in entry.build().blocks}
    for entry in zoo.entries():
        # What is switched off as a network opens, such as auxiliary heads, brings kinds of its own.
        switched = {parameter.name: True for parameter in entry.parameters if parameter.default is False}
        built |= {block.kind for block in entry.build(**switched).blocks}
    assert set(explained_kinds()) == built | {block.kind for block in block_entries()}


@pytest.mark.parametrize("kind", explained_kinds())
def test_a_kind_of_block_says_what_it_computes_and_where_from(kind: str) -> None:
    about = block_explanation(kind)
    assert about is not None
    assert about.formula
    assert about.source
    assert len(re.findall(r"\.(?= |$)", about.text)) >= 2
    assert about.text not in {block.idea for block in block_entries()}


def test_what_is_not_of_the_catalogue_has_no_explanation() -> None:
    assert block_explanation("my own block") is None
    assert network_titled("My own network") is None
    with pytest.raises(ValueError, match="did you mean"):
        network_explanation("resnet19")
    with pytest.raises(KeyError):
        family_explanation("Perceptron")


def test_an_open_network_is_recognised_by_its_name() -> None:
    for entry in zoo.entries():
        assert network_titled(entry.build().name) == entry.id
