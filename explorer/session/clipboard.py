"""Nodes on the clipboard: in a format of this program's own and, for all others, as the same JSON text.

Whatever else this program puts there in several formats goes into an `empty` of here too.
"""

import json

from PySide6.QtCore import QByteArray, QMimeData, QStringListModel

from explorer.architecture import ArchitectureError
from explorer.architecture.copying import Fragment, from_plain, to_plain

NODES_MIME_TYPE = "application/x-arch-explorer-nodes"
"""A fragment as JSON, in UTF-8."""
_FORMAT = "arch-explorer-nodes"


def empty() -> QMimeData:
    """Data without a format, to be filled and given to the clipboard, which then owns it.

    Qt has made it, not Python: where a platform has no clipboard (offscreen, VNC, a bare framebuffer), Qt keeps one in
    the process and frees what is on it after Python has ended, and what was born in Python needs it to be freed.
    """
    model = QStringListModel([""])
    data = model.mimeData([model.index(0)])
    data.clear()
    return data


def nodes_data(fragment: Fragment) -> QMimeData:
    """Copied nodes as the clipboard carries them."""
    text = json.dumps({"format": _FORMAT, **to_plain(fragment)}, indent=1, ensure_ascii=False)
    data = empty()
    data.setData(NODES_MIME_TYPE, QByteArray(text.encode()))
    data.setText(text)
    return data


def nodes(data: QMimeData | None) -> Fragment | None:
    """The nodes that the clipboard carries, also where only their text came through; None where it has none."""
    if data is None:
        return None
    try:
        if data.hasFormat(NODES_MIME_TYPE):
            plain = json.loads(bytes(data.data(NODES_MIME_TYPE).data()))
        elif data.hasText() and _FORMAT in data.text()[:200]:
            plain = json.loads(data.text())
        else:
            return None
        if not isinstance(plain, dict) or plain.get("format") != _FORMAT:
            return None
        return from_plain({key: value for key, value in plain.items() if key != "format"})
    except (ValueError, RecursionError, ArchitectureError):  # no JSON, no UTF-8, or of a newer version
        return None
