"""The blocks of the palette: their group in its list, the values chosen for them, and inserting one at the selection.

Which blocks there are is `zoo.blocks`' to say, what one makes of the network, `session.placing`'s; the list around them
is `tree`'s.
"""

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QIcon
from PySide6.QtWidgets import QMenu, QTreeWidgetItem, QWidget

from explorer.architecture import EditRefused
from explorer.layers import Category
from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.theme import ThemeSource
from explorer.panels.palette.tree import BLOCK_ROLE, VALUES_ROLE, add_line
from explorer.panels.parameters.dialog import Outcome, ParameterDialog
from explorer.session import Document, Selection
from explorer.session.placing import Place, Placed, fitted
from explorer.zoo import Value
from explorer.zoo.blocks import BlockEntry, block_entries, last_maps


class PaletteBlocks(QObject):
    """The items of the group "Blocks".

    Signals:
        inserted(str): id of the last node of the block that was added.
        refused(str): why a block could not be added.
    """

    inserted = Signal(str)
    refused = Signal(str)

    def __init__(
        self,
        document: Document,
        selection: Selection,
        themes: ThemeSource,
        group: QTreeWidgetItem,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._window = parent
        self._blocks = {block.id: block for block in block_entries()}
        self.items: dict[str, QTreeWidgetItem] = {}
        for block in self._blocks.values():
            item = add_line(group, block.title)
            item.setData(0, BLOCK_ROLE, block.id)
            self.items[block.id] = item

    def insert(self, block_id: str, values: Mapping[str, Value] | None = None) -> None:
        """Add a block at the selection as one undoable edit, and select its nodes; or say why it cannot be.

        Args:
            values: for its parameters; those chosen last where None.
        """
        if (why := self.why_not()) is not None:
            self.refused.emit(why)
            return
        try:
            placed = self._placed(self._blocks[block_id], self._values(block_id) if values is None else values)
        except ValueError as error:  # EditRefused, or a value out of its range
            self.refused.emit(str(error))
            return
        self._document.apply(placed.text, placed.architecture)
        self._selection.set(placed.added)
        self.inserted.emit(placed.added[-1])

    def set_values(self, block_id: str, values: Mapping[str, Value]) -> None:
        """Insert and drag the block with these values from now on; those that differ from the defaults are shown."""
        block, item = self._blocks[block_id], self.items[block_id]
        own = {p: values[p.name] for p in block.parameters if p.name in values and values[p.name] != p.default}
        item.setData(0, VALUES_ROLE, {parameter.name: value for parameter, value in own.items()})
        item.setText(0, " · ".join((block.title, *(f"{p.title.lower()} {_said(value)}" for p, value in own.items()))))
        self.enable()

    def ask_options(self, block_id: str) -> ParameterDialog:
        """Offer the block's parameters, with what they come to on the canvas; once chosen, it is inserted with them."""
        block, last = self._blocks[block_id], self._values(block_id)
        dialog = ParameterDialog(
            block.title,
            f"{block.idea} {self._place()}",
            tuple(
                replace(parameter, default=last.get(parameter.name, parameter.default))
                for parameter in block.parameters
            ),
            lambda values: self._outcome(block, values),
            self._themes,
            button=self.tr("Insert"),
            parent=self._window,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def insert(values: Mapping[str, Value]) -> None:
            self.set_values(block_id, values)
            self.insert(block_id, values)

        dialog.finished.connect(lambda _result: self._document.preview(None))
        dialog.chosen.connect(insert)
        dialog.open()
        return dialog

    def menu(self, block_id: str) -> QMenu:
        """What can be done with a block of the list; "Insert" previews while it is pointed at."""
        menu = QMenu(self._window)
        is_enabled = self.why_not() is None
        insert = menu.addAction(self.tr("Insert"), lambda: self.insert(block_id))
        menu.setDefaultAction(insert)
        options = menu.addAction(self.tr("Insert with options…"), lambda: self.ask_options(block_id))
        for action in (insert, options):
            action.setEnabled(is_enabled)
        defaults = menu.addAction(self.tr("Back to the default values"), lambda: self.set_values(block_id, {}))
        defaults.setVisible(bool(self._values(block_id)))
        menu.hovered.connect(lambda action: self._preview(block_id if action is insert and is_enabled else None))
        menu.aboutToHide.connect(lambda: self._preview(None))
        return menu

    def why_not(self) -> str | None:
        """Why no block could be inserted now."""
        if not self._document.is_open:
            return self.tr("Open a network first.")
        try:
            anchor = self._anchor()
        except EditRefused as error:
            return str(error)
        shape = self._document.snapshot.inference.nodes[anchor].output_shape
        if shape is None:
            return self.tr("What {node} makes is unknown; mend the fault before it first.").format(node=anchor)
        if len(shape) != 3:
            return self.tr("Blocks work on feature maps; {node} makes {shape}. Select a node before it.").format(
                node=anchor, shape=numbers.shape(shape)
            )
        return None

    def enable(self) -> None:
        """Follow the document and the selection: which items can be had, and where they would go."""
        why = self.why_not()
        place = why or f"{self._place()} {self.tr('Right-click for options.')}"
        flags = Qt.ItemFlag.ItemIsSelectable
        if self._document.is_open:
            # Where the selection takes none, a drag still finds a place that does.
            flags |= Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsDragEnabled
            place = f"{place}\n{self.tr('Drag it onto a wire or behind a node.')}"
        colour = QBrush(self._themes.theme.muted) if why else QBrush()
        for block_id, item in self.items.items():
            block = self._blocks[block_id]
            item.setFlags(flags)
            item.setForeground(0, colour)
            item.setToolTip(0, f"{item.text(0)}\n{block.idea}\n{block.paper}\n{place}")

    def find(self, text: str) -> list[str]:
        """Ids of the blocks that match all words, by name first, then by what they do; all without words."""
        words = text.casefold().split()
        named = [block for block in self._blocks.values() if _holds(f"{block.id} {block.title} {block.kind}", words)]
        facts = [block for block in self._blocks.values() if _holds(_facts(block), words)]
        return [block.id for block in dict.fromkeys((*named, *facts))]

    def show_icons(self, size: QSize, ratio: float) -> None:
        """Draw the icons in the theme's colours, for lines of that icon size."""
        theme = self._themes.theme
        picture = QIcon()
        picture.addPixmap(icon(Category.OTHER, theme).pixmap(size, ratio), QIcon.Mode.Normal)
        picture.addPixmap(icon(Category.OTHER, theme, theme.muted).pixmap(size, ratio), QIcon.Mode.Disabled)
        picture.addPixmap(icon(Category.OTHER, theme, theme.accent_text).pixmap(size, ratio), QIcon.Mode.Selected)
        for item in self.items.values():
            item.setIcon(0, picture)

    def _anchor(self) -> str:
        """The node that a block goes behind: the one selected last, or that of the last maps."""
        return self._selection.current or last_maps(self._document.architecture)

    def _place(self) -> str:
        if self._selection.current is None:
            return self.tr("It goes behind the last feature maps, those of {node}.").format(node=self._anchor())
        return self.tr("It goes after {node}.").format(node=self._anchor())

    def _values(self, block_id: str) -> Mapping[str, Value]:
        """What was chosen for a block; empty where nothing was."""
        values = self.items[block_id].data(0, VALUES_ROLE)
        return values if isinstance(values, dict) else {}

    def _placed(self, block: BlockEntry, values: Mapping[str, Value]) -> Placed:
        """The network with the block at the selection.

        Raises:
            ValueError: it does not go there, or a value is out of its range.
        """
        return fitted(self._document.snapshot, block, values, Place(self._anchor()))

    def _preview(self, block_id: str | None) -> None:
        if block_id is None:
            self._document.preview(None)
            return
        try:
            placed = self._placed(self._blocks[block_id], self._values(block_id))
        except ValueError:
            self._document.preview(None)
        else:
            self._document.preview(lambda _architecture: placed.architecture)

    def _outcome(self, block: BlockEntry, values: Mapping[str, Value]) -> Outcome:
        """What the network gains by the block, or why it does not go there; the views preview it."""
        try:
            placed = self._placed(block, values)
        except ValueError as error:  # EditRefused, or a value out of its range
            self._document.preview(None)
            return Outcome(str(error), is_possible=False)
        self._document.preview(lambda _architecture: placed.architecture)
        reports = placed.inference.nodes
        text = self.tr("{parameters} parameters · {macs} MACs · makes {shape}").format(
            parameters=numbers.short_count(sum(reports[i].num_parameters or 0 for i in placed.added)),
            macs=numbers.short_count(sum(reports[i].macs or 0 for i in placed.added)),
            shape=numbers.shape(placed.leaving),
        )
        return Outcome(text, issue=placed.issue)


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _facts(block: BlockEntry) -> str:
    return f"{block.id} {block.title} {block.kind} {block.idea} {block.paper}"


def _holds(text: str, words: list[str]) -> bool:
    return all(word in text.casefold() for word in words)
