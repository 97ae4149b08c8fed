"""Nodes on a clipboard: what goes in comes out, in this program's own format and as text; all else is passed over."""

import json

import pytest
from PySide6.QtCore import QMimeData

from explorer.architecture.copying import copied
from explorer.session.clipboard import NODES_MIME_TYPE, nodes, nodes_data
from explorer.zoo import entry


def test_what_goes_in_comes_out() -> None:
    resnet = entry("resnet18").build()
    fragment = copied(resnet, [node.id for node in resnet if node.id.startswith("layer2.")])
    data = nodes_data(fragment)
    assert data.hasFormat(NODES_MIME_TYPE)
    assert nodes(data) == fragment
    only_text = QMimeData()
    only_text.setText(data.text())
    assert nodes(only_text) == fragment
    assert json.loads(data.text())["format"] == "arch-explorer-nodes"


@pytest.mark.parametrize(
    "text", ["", "hello", '{"format": "arch-explorer-nodes"}', '{"format": "arch-explorer-nodes", ']
)
def test_what_is_none_is_passed_over(text: str) -> None:
    data = QMimeData()
    data.setText(text)
    assert nodes(data) is None
    own = QMimeData()
    own.setData(NODES_MIME_TYPE, text.encode())
    assert nodes(own) is None
    assert nodes(None) is None
