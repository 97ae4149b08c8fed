"""Nodes on a clipboard: what goes in comes out, in this program's own format and as text; all else is passed over."""

import json
import subprocess
import sys

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


_ENDS_WITH_NODES_ON_THE_CLIPBOARD = """
from PySide6.QtGui import QGuiApplication
from explorer.architecture.copying import copied
from explorer.session.clipboard import nodes_data
from explorer.zoo import entry

application = QGuiApplication([])
QGuiApplication.clipboard().setMimeData(nodes_data(copied(entry("lenet5").build(), ["conv1"])))
print(*QGuiApplication.clipboard().mimeData().formats())
"""


def test_a_process_ends_well_with_nodes_on_its_clipboard() -> None:
    """Offscreen, Qt frees them when Python is no more."""
    ended = subprocess.run(
        [sys.executable, "-c", _ENDS_WITH_NODES_ON_THE_CLIPBOARD],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert NODES_MIME_TYPE in ended.stdout
