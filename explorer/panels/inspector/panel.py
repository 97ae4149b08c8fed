"""The inspector: the selected nodes, or the network as a whole. It turns what its pages report into edits."""

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from explorer.architecture import Architecture, ArchitectureError, edits
from explorer.layers import Kind
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.look.values import written
from explorer.panels.estimates import Estimates
from explorer.panels.inspector.form import Form
from explorer.panels.inspector.network import NetworkPage
from explorer.panels.inspector.node import NodePage
from explorer.panels.scroll_body import ScrollBody
from explorer.panels.values.editors import ValueEditor
from explorer.session import Document, Selection, Snapshot

GESTURE_PAUSE_MS = 600
"""Edits of one value with shorter pauses are one step of the history."""


class Inspector(QScrollArea):
    """Shows and edits what is selected.

    Signals:
        batch_chosen(int): the user wants batches of this size.
    """

    batch_chosen = Signal(int)

    def __init__(
        self,
        document: Document,
        selection: Selection,
        themes: ThemeSource,
        parent: QWidget | None = None,
        *,
        estimates: Estimates | None = None,
    ) -> None:
        """
        Args:
            estimates: of memory, which other views may share; the inspector's own if None.
        """
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._preview: Snapshot | None = None
        self._is_renaming = False
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = ScrollBody()
        column = QVBoxLayout(body)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        self.estimates = estimates or Estimates(self)
        self.node_page = NodePage(document, self.estimates, themes, body)
        self.network_page = NetworkPage(self.estimates, themes, body)
        self._empty = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=body)
        self._empty.setText(self.tr("No network is open."))
        for page in (self.node_page, self.network_page):
            column.addWidget(page, 1)
        column.addWidget(self._empty)
        self.setWidget(body)
        self._gesture = QTimer(self, singleShot=True, interval=GESTURE_PAUSE_MS)
        self._gesture.timeout.connect(document.finish_merge)
        self.node_page.edited.connect(self._edit)
        self.node_page.left.connect(self._finish_gesture)
        self.node_page.frozen_chosen.connect(self._set_frozen)
        self.node_page.previewed.connect(self._preview_value)
        self.node_page.preview_ended.connect(lambda: document.preview(None))
        self.node_page.renamed.connect(self._rename_node)
        self.node_page.source_asked.connect(lambda node_id: selection.set((node_id,)))
        self.network_page.renamed.connect(self._rename_network)
        self.network_page.chosen.connect(lambda node_id: selection.set((node_id,)))
        self.network_page.batch_chosen.connect(self.batch_chosen)
        self.estimates.changed.connect(self._show_again)
        document.changed.connect(self.apply)
        document.previewed.connect(self._show_preview)
        selection.changed.connect(self._follow_selection)
        self.apply(None, document.snapshot if document.is_open else None)

    def focus_first_field(self) -> None:
        """Put the keyboard where the first value of the selected layer is edited."""
        form = self.node_page.form
        if form is not None and form.editors:
            self._first_editor(form).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _first_editor(self, form: Form) -> ValueEditor:
        # Values that follow the input are rarely what one came for.
        editors = list(form.editors.values())
        return next((e for e in editors if e.parameter.kind is not Kind.FOLLOWS), editors[0])

    def apply(self, old: Snapshot | None, new: Snapshot | None) -> None:
        """Show `new`; what differs from `old` lights up. None where nothing is open."""
        self._preview = None
        if not self._is_renaming:
            self._show(new, pulse=old is not None)

    def _show_preview(self, preview: Snapshot | None) -> None:
        self._preview = preview
        self._show(self._document.snapshot if self._document.is_open else None, pulse=False)

    def _show_again(self) -> None:
        if self._document.is_open:
            self._show(self._document.snapshot, pulse=True)

    def _follow_selection(self) -> None:
        if self._document.is_open and not self._is_renaming:
            self._finish_gesture()
            self._show(self._document.snapshot, pulse=False)
            self.verticalScrollBar().setValue(0)

    def _show(self, new: Snapshot | None, *, pulse: bool) -> None:
        ids = () if new is None else tuple(i for i in self._selection.ids if i in new.architecture)
        if new is not None and ids:
            self.node_page.apply(ids, new, self._preview)
        elif new is not None:
            self.network_page.apply(new, self._preview, pulse=pulse)
        self.node_page.setVisible(bool(ids))
        self.network_page.setVisible(new is not None and not ids)
        self._empty.setVisible(new is None)

    # Edits

    def _edit(self, name: str, value: object) -> None:
        ids = self._selection.ids
        try:
            new = self._with_value(self._document.architecture, name, value)
        except ValueError as error:
            # What a layer refuses only as a whole, such as arguments that cannot be read.
            self._refuse(name, str(error))
            return
        where = ids[0] if len(ids) == 1 else self.tr("%d layers") % len(ids)
        shown = written(self._kind(name), value)
        text = (
            self.tr("Let %s %s follow the input") % (where, name)
            if value is None
            else self.tr("Set %s %s to %s") % (where, name, shown)
        )
        self._document.apply(text, new, merge=f"{','.join(ids)}.{name}")
        self._gesture.start()

    def _with_value(self, architecture: Architecture, name: str, value: object) -> Architecture:
        for node_id in self._selection.ids:
            architecture = edits.set_value(architecture, node_id, name, value)
        return architecture

    def _preview_value(self, name: str, value: object) -> None:
        try:
            self._document.preview(lambda architecture: self._with_value(architecture, name, value))
        except ValueError:
            self._document.preview(None)

    def _kind(self, name: str) -> Kind:
        form = self.node_page.form
        assert form is not None
        return form.editors[name].parameter.kind

    def _refuse(self, name: str, why: str) -> None:
        form = self.node_page.form
        assert form is not None
        form.editors[name].refuse(why)

    def _set_frozen(self, frozen: bool) -> None:
        architecture, nodes = self._document.architecture, self._document.snapshot.inference.nodes
        ids = [node_id for node_id in self._selection.ids if nodes[node_id].num_parameters]
        where = ids[0] if len(ids) == 1 else self.tr("%d layers") % len(ids)
        text = self.tr("Freeze %s") % where if frozen else self.tr("Train %s again") % where
        self._finish_gesture()
        self._document.apply(text, edits.set_frozen(architecture, ids, frozen))

    def _finish_gesture(self) -> None:
        if self._gesture.isActive():
            self._gesture.stop()
            self._document.finish_merge()

    def _rename_node(self, new_id: str) -> None:
        old_id = self._selection.current
        assert old_id is not None
        # The selection drops ids that vanish; without this the page would change for an instant and lose the focus.
        self._is_renaming = True
        try:
            new = edits.rename(self._document.architecture, old_id, new_id)
            self._document.apply(self.tr("Rename %s to %s") % (old_id, new_id), new)
            self._selection.set((new_id,))
        except ArchitectureError as error:
            self.node_page.refuse(str(error))
            return
        finally:
            self._is_renaming = False
        self._show(self._document.snapshot, pulse=False)

    def _rename_network(self, name: str) -> None:
        if not name:
            self.network_page.refuse(self.tr("A network needs a name; Escape takes it back."))
            return
        self.network_page.refuse("")
        self._document.apply(
            self.tr("Rename the network to %s") % name, edits.set_name(self._document.architecture, name)
        )

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(38 * GRID, 80 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(30 * GRID, 20 * GRID)
