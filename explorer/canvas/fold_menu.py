"""What of a context menu folds and unfolds blocks."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication, QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu

from explorer.architecture import Architecture
from explorer.architecture.folding import blocks_around
from explorer.canvas.fold_control import FoldControl
from explorer.canvas.menus import add_action
from explorer.canvas.scene import GraphScene


def _tr(text: str) -> str:
    return QCoreApplication.translate("FoldMenu", text)


def add(
    menu: QMenu,
    folding: FoldControl,
    graph: GraphScene,
    architecture: Architecture,
    key: str | None,
    at: QPoint,
) -> None:
    """Put the entries at the top of a menu.

    Args:
        key: the node, folded or open block that the menu is of; None for the canvas.
        at: where the menu opens, in the viewport: what folds stays there.
    """
    if not architecture.blocks:
        return
    first = menu.actions()[0]
    actions: list[QAction] = []
    if key is not None and key in graph.blocks:
        actions.append(_action(menu, _tr("Unfold"), partial(folding.toggle, key, at), Qt.Key.Key_BracketRight))
        actions.append(_alone(menu, folding, key))
    elif key is not None and key in graph.frames:
        actions.append(_action(menu, _tr("Fold"), partial(folding.fold, key, at), Qt.Key.Key_BracketLeft))
        if key != graph.folds.scope:
            actions.append(_alone(menu, folding, key))
    elif key is not None:
        around = [path for path in blocks_around(architecture, key) if path in graph.frames]
        if not around:
            return
        text = _tr("Fold {}").format(around[-1])
        actions.append(_action(menu, text, partial(folding.fold, around[-1]), Qt.Key.Key_BracketLeft))
        if around[-1] != graph.folds.scope:
            actions.append(_alone(menu, folding, around[-1]))
    if key is None:
        actions.append(_action(menu, _tr("Fold all"), folding.fold_all, Qt.Key.Key_BraceLeft))
        actions.append(_action(menu, _tr("Unfold all"), folding.unfold_all, Qt.Key.Key_BraceRight))
    if graph.folds.scope:
        actions.append(_action(menu, _tr("Show the block around"), folding.leave, Qt.Key.Key_Escape))
    menu.insertActions(first, actions)
    menu.insertSeparator(first)


def _alone(menu: QMenu, folding: FoldControl, path: str) -> QAction:
    return _action(menu, _tr("Open block alone"), partial(folding.open_alone, path), Qt.Key.Key_O)


def _action(menu: QMenu, text: str, done: Callable[[], object], key: Qt.Key) -> QAction:
    return add_action(menu, text, done, shortcut=QKeySequence(key))
