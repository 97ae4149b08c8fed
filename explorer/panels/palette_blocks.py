"""The blocks of the palette: their group in its list, and what inserting one does to the network.

Which blocks there are and what they are made of is `zoo.blocks`' to say; the list around them is `palette`'s.
"""

from collections.abc import Mapping

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMenu, QTreeWidgetItem, QWidget

from explorer.architecture import Architecture, EditRefused
from explorer.inference import infer
from explorer.layers import Category
from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.parameter_dialog import Outcome, ParameterDialog
from explorer.session import Document, Selection
from explorer.zoo import Value
from explorer.zoo.blocks import BlockEntry, block_entries, last_maps

BLOCK_ROLE = Qt.ItemDataRole.UserRole + 2
"""The id of an item's block."""


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
            item = QTreeWidgetItem(group, [block.title])
            item.setFirstColumnSpanned(True)
            item.setData(0, BLOCK_ROLE, block.id)
            item.setFont(0, body_font())
            item.setSizeHint(0, QSize(0, 3 * GRID))
            self.items[block.id] = item

    def insert(self, block_id: str, values: Mapping[str, Value] | None = None) -> None:
        """Add a block at the selection as one undoable edit, and select its nodes; or say why it cannot be."""
        if self.why_not() is not None:
            return
        block, architecture = self._blocks[block_id], self._document.architecture
        anchor = self._anchor()
        try:
            new = block.insert(architecture, anchor, **(values or {}))
        except ValueError as error:  # EditRefused, or a value out of its range
            self.refused.emit(str(error))
            return
        self._document.apply(self.tr("Insert {block} after {node}").format(block=block.title, node=anchor), new)
        added = _added(architecture, new)
        self._selection.set(added)
        self.inserted.emit(added[-1])

    def ask_options(self, block_id: str) -> ParameterDialog:
        """Offer the block's parameters; once chosen, it is inserted with them."""
        block = self._blocks[block_id]
        dialog = ParameterDialog(
            block.title,
            f"{block.idea} {self._place()}",
            block.parameters,
            lambda values: self._outcome(block, values),
            self._themes,
            button=self.tr("Insert"),
            parent=self._window,
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(lambda values: self.insert(block_id, values))
        dialog.open()
        return dialog

    def menu(self, block_id: str) -> QMenu:
        """What can be done with a block of the list."""
        menu = QMenu(self._window)
        is_enabled = self.why_not() is None
        insert = menu.addAction(self.tr("Insert"), lambda: self.insert(block_id))
        menu.setDefaultAction(insert)
        options = menu.addAction(self.tr("Insert with options…"), lambda: self.ask_options(block_id))
        for action in (insert, options):
            action.setEnabled(is_enabled)
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
        rest = why or f"{self._place()} {self.tr('Right-click for options.')}"
        for block_id, item in self.items.items():
            flags = Qt.ItemFlag.ItemIsSelectable
            item.setFlags(flags if why else flags | Qt.ItemFlag.ItemIsEnabled)
            block = self._blocks[block_id]
            item.setToolTip(0, f"{block.idea}\n{block.paper}\n{rest}")

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

    def _outcome(self, block: BlockEntry, values: Mapping[str, Value]) -> Outcome:
        """What the network gains by the block, or why it does not go there."""
        snapshot = self._document.snapshot
        try:
            new = block.insert(snapshot.architecture, self._anchor(), **values)
        except ValueError as error:  # EditRefused, or a value out of its range
            return Outcome(str(error), is_possible=False)
        inference = infer(new, snapshot.inference)
        old, reports = snapshot.inference.nodes, inference.nodes
        added = _added(snapshot.architecture, new)
        text = self.tr("{parameters} parameters · {macs} MACs · makes {shape}").format(
            parameters=numbers.short_count(sum(reports[i].num_parameters or 0 for i in added)),
            macs=numbers.short_count(sum(reports[i].macs or 0 for i in added)),
            shape=numbers.shape(reports[added[-1]].output_shape),
        )
        broken = [issue for issue in inference.errors if issue.node_id not in old or not old[issue.node_id].fault]
        return Outcome(text, issue=broken[0].text if broken else "")


def _added(old: Architecture, new: Architecture) -> tuple[str, ...]:
    return tuple(node.id for node in new if node.id not in old)


def _facts(block: BlockEntry) -> str:
    return f"{block.id} {block.title} {block.kind} {block.idea} {block.paper}"


def _holds(text: str, words: list[str]) -> bool:
    return all(word in text.casefold() for word in words)
