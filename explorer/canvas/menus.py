"""The canvas's context menus: what can be done to a node, to a wire and to the empty canvas."""

from collections.abc import Callable
from functools import partial
from itertools import groupby

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from explorer.architecture import Architecture
from explorer.architecture.placement import Wire
from explorer.canvas.editing import Editing
from explorer.layers import Category, Layer, layer_types
from explorer.look.icons import category_icon, icon
from explorer.look.theme import Theme

Chosen = Callable[[type[Layer]], None]


def _tr(text: str) -> str:
    return QCoreApplication.translate("CanvasMenu", text)


def category_name(category: Category) -> str:
    """A category as a menu calls it."""
    return {
        Category.INPUT: _tr("Input"),
        Category.CONVOLUTION: _tr("Convolution"),
        Category.POOLING: _tr("Pooling"),
        Category.ACTIVATION: _tr("Activation"),
        Category.NORMALIZATION: _tr("Normalization"),
        Category.REGULARIZATION: _tr("Regularization"),
        Category.LINEAR: _tr("Linear"),
        Category.RESHAPE: _tr("Reshape"),
        Category.MERGE: _tr("Merge"),
    }[category]


def insertable() -> tuple[type[Layer], ...]:
    """The types that fit on a wire (one input), by category in the order of a network's stages, then by name."""
    order = list(Category)
    fitting = [t for t in layer_types() if t.min_inputs == 1 and t.max_inputs is not None]
    return tuple(sorted(fitting, key=lambda t: (order.index(t.category), t.__name__)))


def add_layers_menu(menu: QMenu, title: str, theme: Theme, chosen: Chosen) -> QMenu:
    """A submenu of all layer types that fit on a wire, by category; a category of one type is that type."""
    layers = menu.addMenu(icon("add", theme, highlighted=theme.accent_text), title)
    for category, group in groupby(insertable(), key=lambda layer_type: layer_type.category):
        types = list(group)
        symbol = category_icon(category, theme, highlighted=theme.accent_text)
        parent = layers if len(types) == 1 else layers.addMenu(symbol, category_name(category))
        for layer_type in types:
            action = parent.addAction(symbol, layer_type.__name__)
            action.setToolTip(layer_type.summary)
            action.triggered.connect(lambda _checked=False, t=layer_type: chosen(t))
    layers.setToolTipsVisible(True)
    return layers


def add_action(
    menu: QMenu,
    text: str,
    done: Callable[[], None],
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
    add_layers_menu(menu, _tr("Insert after"), theme, partial(editing.insert_after, node_id))
    if architecture[node_id].inputs:
        add_layers_menu(menu, _tr("Insert before"), theme, partial(editing.insert_before, node_id, 0))
    menu.addSeparator()
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


def wire_menu(parent: QWidget, theme: Theme, wire: Wire, editing: Editing) -> QMenu:
    """What can be done to a wire."""
    menu = _menu(parent)
    add_layers_menu(menu, _tr("Insert"), theme, partial(editing.insert_before, wire.target, wire.port))
    return menu


def canvas_menu(parent: QWidget, theme: Theme, architecture: Architecture, editing: Editing) -> QMenu:
    """What can be done to the network as a whole; the view adds what can be done to itself."""
    menu = _menu(parent)
    append = partial(editing.insert_after, architecture.outputs[0])
    add_layers_menu(menu, _tr("Add at the end"), theme, append)
    menu.addSeparator()
    return menu


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    return menu
