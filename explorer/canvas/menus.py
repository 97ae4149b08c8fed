"""The canvas's context menus: what can be done to a node, to a wire and to the empty canvas."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from explorer.architecture import Architecture, grouping
from explorer.architecture.paths import parent as parent_path
from explorer.canvas.copying import Copying
from explorer.canvas.editing import Editing
from explorer.canvas.group_dialog import GroupDialog
from explorer.layers import Category, Input, Layer
from explorer.look import catalogue
from explorer.look.icons import category_icon, icon
from explorer.look.theme import Theme
from explorer.session.placing import Place, Refused

_MOST_REPEATS = 8
Chosen = Callable[[type[Layer]], None]


def _tr(text: str) -> str:
    return QCoreApplication.translate("CanvasMenu", text)


def insertable() -> tuple[type[Layer], ...]:
    """The types that fit on a wire (one input), by category, in the layers' own order."""
    offered = [layer_type for types in catalogue.by_category().values() for layer_type in types]
    return tuple(t for t in offered if t.min_inputs == 1 and t.max_inputs is not None)


def add_layers_menu(menu: QMenu, title: str, theme: Theme, chosen: Chosen) -> QMenu:
    """A submenu of all layer types that fit on a wire: the most used ones, then all by category."""
    layers = menu.addMenu(icon("add", theme, highlighted=theme.accent_text), title)
    fitting = insertable()
    for layer_type in catalogue.most_used():
        if layer_type in fitting:
            _add_layer(layers, layer_type, theme, chosen)
    layers.addSeparator()
    for category, types in catalogue.by_category().items():
        offered = [layer_type for layer_type in types if layer_type in fitting]
        if offered:
            symbol = category_icon(category, theme, highlighted=theme.accent_text)
            group = layers.addMenu(symbol, catalogue.category_name(category))
            group.setToolTipsVisible(True)
            for layer_type in offered:
                _add_layer(group, layer_type, theme, chosen)
    layers.setToolTipsVisible(True)
    return layers


def insert_menu(menu: QMenu, title: str, theme: Theme, where: Place | Refused, editing: Editing) -> QMenu:
    """A submenu of all layer types that may go to a place; where there is none, it says why."""
    if isinstance(where, Refused):
        layers = menu.addMenu(icon("add", theme, highlighted=theme.accent_text), title)
        layers.setEnabled(False)
        layers.menuAction().setToolTip(where.text)
        return layers
    return add_layers_menu(menu, title, theme, partial(editing.insert, where))


def _add_layer(menu: QMenu, layer_type: type[Layer], theme: Theme, chosen: Chosen) -> None:
    symbol = category_icon(layer_type.category, theme, highlighted=theme.accent_text)
    action = menu.addAction(symbol, layer_type.__name__)
    action.setToolTip(layer_type.summary)
    action.triggered.connect(lambda _checked=False: chosen(layer_type))


def add_action(
    menu: QMenu,
    text: str,
    done: Callable[[], object],
    *,
    shortcut: QKeySequence | None = None,
    why_disabled: str = "",
) -> QAction:
    """An action of a menu; the shortcut is shown, and the view itself listens for the key."""
    action = menu.addAction(text)
    if shortcut is not None:
        # After a tab, a menu shows it in its column of shortcuts without claiming the key.
        action.setText(f"{text}\t{shortcut.toString(QKeySequence.SequenceFormat.NativeText)}")
    action.triggered.connect(lambda _checked=False: done())
    action.setEnabled(not why_disabled)
    action.setToolTip(why_disabled)
    return action


def node_menu(
    parent: QWidget,
    theme: Theme,
    architecture: Architecture,
    node_id: str,
    selected: tuple[str, ...],
    editing: Editing,
) -> QMenu:
    """What can be done to a node, and to all that are selected with it."""
    menu = _menu(parent)
    insert_menu(menu, _tr("Insert after"), theme, Place(node_id), editing)
    if architecture[node_id].inputs:
        insert_menu(menu, _tr("Insert before"), theme, Place(node_id, 0), editing)
    others = tuple(i for i in selected if i != node_id)
    if others:
        joins = menu.addMenu(_tr("Join {} nodes with").format(len(selected)))
        for layer_type in catalogue.by_category()[Category.MERGE]:
            if layer_type.min_inputs > 1:
                _add_layer(joins, layer_type, theme, partial(editing.insert, Place(node_id, joined=others)))
    menu.addSeparator()
    _add_block_actions(menu, parent, architecture, _paths_around(node_id), selected, editing)
    is_output = node_id in architecture.outputs
    only = is_output and len(architecture.outputs) == 1
    output = add_action(
        menu,
        _tr("Output of the network"),
        partial(editing.toggle_output, node_id),
        why_disabled=_tr("It is the only output; make another node an output first.") if only else "",
    )
    output.setCheckable(True)
    output.setChecked(is_output)
    add_action(menu, _tr("Copy id"), partial(QGuiApplication.clipboard().setText, node_id))
    menu.addSeparator()
    add_action(
        menu,
        _tr("Remove") if len(selected) == 1 else _tr("Remove {} layers").format(len(selected)),
        partial(editing.remove, selected),
        shortcut=QKeySequence(Qt.Key.Key_Delete),
        why_disabled=_tr("Every network needs its input.") if selected == (architecture.input.id,) else "",
    )
    return menu


def block_menu(
    parent: QWidget,
    theme: Theme,
    architecture: Architecture,
    path: str,
    where: Place | Refused,
    selected: tuple[str, ...],
    editing: Editing,
) -> QMenu:
    """What can be done to a block that is drawn as one, or to all that is selected with it.

    Args:
        where: the place behind it.
    """
    menu = _menu(parent)
    insert_menu(menu, _tr("Insert after"), theme, where, editing)
    menu.addSeparator()
    _add_block_actions(menu, parent, architecture, [path, *_paths_around(path)], selected, editing)
    add_action(menu, _tr("Copy path"), partial(QGuiApplication.clipboard().setText, path))
    menu.addSeparator()
    add_action(
        menu,
        _tr("Remove {} layers").format(len(selected)),
        partial(editing.remove, selected),
        shortcut=QKeySequence(Qt.Key.Key_Delete),
    )
    return menu


def _paths_around(path: str) -> list[str]:
    paths = []
    path = parent_path(path)
    while path:
        paths.append(path)
        path = parent_path(path)
    return paths


def _add_block_actions(
    menu: QMenu,
    parent: QWidget,
    architecture: Architecture,
    paths: list[str],
    selected: tuple[str, ...],
    editing: Editing,
) -> None:
    """For each block, the innermost first: more of it, or it taken apart; and a new one of what is selected."""
    for path in paths:
        why = grouping.repeat_refusal(architecture, path) or ""
        repeats = menu.addMenu(_tr("Repeat block {}").format(path))
        repeats.setToolTipsVisible(True)
        repeats.setEnabled(not why)
        repeats.menuAction().setToolTip(why)
        for count in range(1, _MOST_REPEATS + 1):
            more = add_action(repeats, _tr("×{}").format(count), partial(editing.repeat, path, count))
            key = "  (Ctrl+R)" if count == 1 and path == paths[0] else ""
            more.setToolTip(_tr("{count} more of it behind {block}").format(count=count, block=path) + key)
            more.hovered.connect(partial(editing.preview_repeat, path, count))
        repeats.aboutToHide.connect(editing.end_preview)
    for path in paths:
        shortcut = QKeySequence("Ctrl+Shift+G") if path == paths[0] else None
        add_action(menu, _tr("Ungroup {}").format(path), partial(editing.ungroup, path), shortcut=shortcut)
    if len(selected) > 1:
        ask = partial(ask_group, parent, architecture, selected, editing)
        add_action(menu, _tr("Group into a block…"), ask, shortcut=QKeySequence("Ctrl+G"))
    if paths or len(selected) > 1:
        menu.addSeparator()


def ask_group(parent: QWidget, architecture: Architecture, selected: tuple[str, ...], editing: Editing) -> None:
    """Ask for the name and kind of a block of these nodes, and make it; with all selected, the input stays outside."""
    selected = tuple(i for i in selected if not isinstance(architecture[i].layer, Input)) or selected
    dialog = GroupDialog(architecture, selected, parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.chosen.connect(partial(editing.group, selected))
    dialog.open()


def add_clipboard_actions(menu: QMenu, copying: Copying, named: Callable[[], object]) -> None:
    """Cut, copy, paste, duplicate and rename, before what removes."""
    keys = QKeySequence.StandardKey
    before = menu.actions()[-1]
    made = [
        add_action(menu, _tr("Rename…"), named, shortcut=QKeySequence("F2")),
        menu.addSeparator(),
        add_action(menu, _tr("Cut"), copying.cut, shortcut=QKeySequence(keys.Cut)),
        add_action(menu, _tr("Copy"), copying.copy, shortcut=QKeySequence(keys.Copy)),
        add_action(menu, _tr("Paste behind"), copying.paste, shortcut=QKeySequence(keys.Paste)),
        add_action(menu, _tr("Duplicate"), copying.duplicate, shortcut=QKeySequence("Ctrl+D")),
    ]
    menu.insertActions(before, made)


def wire_menu(parent: QWidget, theme: Theme, where: Place | Refused, editing: Editing) -> QMenu:
    """What can be done to a wire, on which that place is."""
    menu = _menu(parent)
    insert_menu(menu, _tr("Insert"), theme, where, editing)
    return menu


def canvas_menu(parent: QWidget, theme: Theme, architecture: Architecture, editing: Editing) -> QMenu:
    """What can be done to the network as a whole; the view adds what can be done to itself."""
    menu = _menu(parent)
    insert_menu(menu, _tr("Add at the end"), theme, Place(architecture.outputs[0]), editing)
    menu.addSeparator()
    return menu


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    return menu
