"""The ideas panel: what the papers changed in a whole network, each a row to switch, with the effect on its numbers.

The changes themselves are `inference.ideas`'; here they are listed, previewed and made one step of the history.
"""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from explorer.inference.ideas import IDEAS, SCALINGS
from explorer.look.labels import RoleLabel, section_label
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.dock_panel import DockPanel
from explorer.panels.estimates import Estimates
from explorer.panels.ideas.button import OfferButton
from explorer.panels.ideas.effect import EffectPane
from explorer.panels.ideas.rows import IdeaRow, ScalingRow, Task
from explorer.panels.scroll_body import ScrollBody
from explorer.session import Document, Snapshot
from explorer.session.past import Past

LULL_MS = 60
"""While edits follow each other faster, as a value is dragged, every frame is theirs."""


class IdeasPanel(DockPanel):
    """Lists the ideas. All of them on a network of 700 layers take a fifth of a second, so nothing is worked out while
    the panel is hidden, and otherwise a form at a time, after the frame that shows the edit."""

    def __init__(
        self,
        document: Document,
        themes: ThemeSource,
        parent: QWidget | None = None,
        *,
        estimates: Estimates | None = None,
    ) -> None:
        """
        Args:
            estimates: of memory, which other views may share; the panel's own if None.
        """
        super().__init__(parent)
        self._document = document
        self._estimates = estimates or Estimates(self)
        self._tasks: list[Task] = []
        self._is_stale = True
        self._preview: Snapshot | None = None
        self._past: Past | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._work)
        self.effect = EffectPane(self._estimates, themes, self)
        body = ScrollBody()
        column = QVBoxLayout(body)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        self.rows = {idea.id: IdeaRow(document, themes, idea, self._earlier, body) for idea in IDEAS}
        self.scalings = {scaling.id: ScalingRow(document, themes, scaling, body) for scaling in SCALINGS}
        column.addWidget(section_label(themes, self.tr("Switch in the whole network"), body))
        for row in self.rows.values():
            column.addWidget(row)
            row.pointed.connect(self._explain)
        column.addSpacing(GRID)
        column.addWidget(section_label(themes, self.tr("Scale the whole network"), body))
        for scaling in self.scalings.values():
            column.addWidget(scaling)
            scaling.pointed.connect(self._explain)
        column.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidget(body)
        self._empty = RoleLabel(themes, role="muted", font=body_font(), parent=self)
        self._empty.setText(self.tr("No network is open."))
        self._empty.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self._empty, 0, Qt.AlignmentFlag.AlignTop)
        whole.addWidget(self._scroll, 1)
        whole.addWidget(self.effect)
        document.changed.connect(self.apply)
        document.previewed.connect(self._show_preview)
        self._estimates.changed.connect(self._show_effect)
        self.apply(None, document.snapshot if document.is_open else None)

    @property
    def is_current(self) -> bool:
        """Whether all rows show the network as it is now."""
        return not self._is_stale and not self._tasks

    def apply(self, old: Snapshot | None, new: Snapshot | None) -> None:
        """Follow an edit: look at every idea anew, once there is time."""
        self._is_stale = True
        self._preview = None
        self._past = None
        self._empty.setVisible(new is None)
        self._scroll.setVisible(new is not None)
        self.effect.setVisible(new is not None)
        if self.is_seen:
            self._start()

    # Working it out

    def _follow_seen(self, is_seen: bool) -> None:
        if not is_seen:
            self._timer.stop()
        elif self.is_current:
            self._show_effect()
        else:
            self._start()

    def _earlier(self) -> Past:
        """The history, unpacked once for all rows."""
        if self._past is None:
            self._past = self._document.earlier()
        return self._past

    def _start(self) -> None:
        self._show_effect()
        self._timer.start(LULL_MS)

    def _work(self) -> None:
        """One piece; the next comes after whatever waits by then."""
        if not self.is_seen or not self._document.is_open:
            return
        if self._is_stale:
            self._is_stale = False
            rows: list[IdeaRow | ScalingRow] = [*self.rows.values(), *self.scalings.values()]
            self._tasks = [task for row in rows for task in row.tasks()]
        elif self._tasks:
            self._tasks.pop(0)(self._document.architecture)
        if self._tasks:
            self._timer.start(0)
        else:
            self._past = None

    # What is under the pointer

    def _explain(self, button: OfferButton | None) -> None:
        if button is None:
            self.effect.explain("", "", "")
        elif button.refusal:
            self.effect.explain(button.offer.step, button.refusal, "", is_refusal=True)
        else:
            self.effect.explain(button.offer.step, button.offer.explanation, button.offer.paper)

    def _show_preview(self, preview: Snapshot | None) -> None:
        self._preview = preview
        self._show_effect()

    def _show_effect(self) -> None:
        if self.is_seen:
            self.effect.apply(self._document.snapshot if self._document.is_open else None, self._preview)
