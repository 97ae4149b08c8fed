"""The source panel: the network as PyTorch source, live. Writing the source is `explorer.export.source`'s."""

from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QShowEvent,
    QTextCursor,
    QTextFormat,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QTextEdit, QToolButton, QVBoxLayout, QWidget

from explorer.export.source import network_class_name, to_source
from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel
from explorer.look.theme import GRID, Theme, ThemeSource, mono_font, small_font
from explorer.panels.source.highlight import PythonHighlighter
from explorer.panels.source.lines import Lines, lines_of
from explorer.session import Document, Selection, Snapshot

_LONG_LINES = 400
_LONG_PAUSE_MS = 100
"""Longer source takes more than a frame to write and colour, so it waits until the edits pause."""


class _LineNumbers(QWidget):
    """The margin beside the source, which paints what the source's view tells it to."""

    def __init__(self, view: "SourceView") -> None:
        super().__init__(view)
        self._view = view

    def paintEvent(self, event: QPaintEvent) -> None:
        self._view.paint_numbers(self)


class SourceView(QPlainTextEdit):
    """Read-only source with line numbers. A new text replaces only the lines that differ, so nothing scrolls."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._source = ""
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setFont(mono_font())
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._numbers = _LineNumbers(self)
        self._highlighter = PythonHighlighter(self.document(), themes.theme)
        self.updateRequest.connect(self._scroll_numbers)
        self.blockCountChanged.connect(self._fit_numbers)
        themes.changed.connect(self._redraw)
        self._fit_numbers()

    @property
    def source(self) -> str:
        """The text that is shown."""
        return self._source

    def show_source(self, source: str) -> bool:
        """Show another text; scroll position, cursor and selection stay where their lines do.

        Returns:
            Whether all lines kept their numbers.
        """
        if source == self._source:
            return True
        old, new = self._source.split("\n"), source.split("\n")
        shorter = min(len(old), len(new))
        head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
        tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
        self._source = source
        scrolled = (self.verticalScrollBar().value(), self.horizontalScrollBar().value())
        if head == 0 or tail == 0:
            # One end is all new: there is nothing on that side to hold on to.
            self.setPlainText(source)
        else:
            edit = QTextCursor(self.document())
            edit.setPosition(self.document().findBlockByNumber(head).position())
            last = self.document().findBlockByNumber(len(old) - tail)
            edit.setPosition(last.position(), QTextCursor.MoveMode.KeepAnchor)
            edit.insertText("".join(f"{line}\n" for line in new[head : len(new) - tail]))
        self.verticalScrollBar().setValue(scrolled[0])
        self.horizontalScrollBar().setValue(scrolled[1])
        return len(old) == len(new)

    def mark(self, marked: list[Lines], *, scroll: bool) -> None:
        """Tint these lines.

        Args:
            scroll: bring the first of them into view if it is not.
        """
        tint = QColor(self._themes.theme.accent)
        tint.setAlphaF(0.18)
        selections = []
        for lines in marked:
            for number in range(lines.first, lines.last + 1):
                selection = QTextEdit.ExtraSelection()
                selection.format.setBackground(tint)
                selection.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
                selection.cursor = QTextCursor(self.document().findBlockByNumber(number))
                selections.append(selection)
        self.setExtraSelections(selections)
        if scroll and marked:
            self._bring_into_view(marked[0])

    def _bring_into_view(self, lines: Lines) -> None:
        top = self.firstVisibleBlock().blockNumber()
        visible = self.viewport().height() // max(1, self.fontMetrics().lineSpacing())
        if lines.first < top or lines.last >= top + visible - 1:
            self.verticalScrollBar().setValue(max(0, lines.first - visible // 3))

    def _redraw(self, theme: Theme) -> None:
        self._highlighter.set_theme(theme)
        self._numbers.update()

    # Line numbers

    def _fit_numbers(self) -> None:
        digits = max(3, len(str(self.blockCount())))
        width = digits * self.fontMetrics().horizontalAdvance("0") + 3 * GRID
        self.setViewportMargins(width, 0, 0, 0)
        content = self.contentsRect()
        self._numbers.setGeometry(QRect(content.left(), content.top(), width, content.height()))

    def _scroll_numbers(self, _area: QRect, dy: int) -> None:
        if dy:
            self._numbers.scroll(0, dy)
        else:
            self._numbers.update()

    def paint_numbers(self, margin: QWidget) -> None:
        """Paint the visible lines' numbers into the margin."""
        theme = self._themes.theme
        painter = QPainter(margin)
        painter.fillRect(margin.rect(), self.palette().color(QPalette.ColorRole.Base))
        painter.setFont(self.font())
        painter.setPen(theme.muted)
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top < margin.height():
            height = self.blockBoundingRect(block).height()
            room = QRect(0, round(top), margin.width() - 2 * GRID, round(height))
            painter.drawText(room, Qt.AlignmentFlag.AlignRight, str(block.blockNumber() + 1))
            top += height
            block = block.next()

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_numbers()


class SourcePanel(QWidget):
    """The source of the network on screen; the selected node's lines are tinted. Written only while visible."""

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._selection = selection
        self._themes = themes
        self._snapshot: Snapshot | None = None
        self._is_stale = True
        self._marked: list[Lines] = []
        self.view = SourceView(themes, self)
        self._title = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.copy_button = QToolButton(self)
        self.copy_button.setText(self.tr("Copy"))
        self.copy_button.setToolTip(self.tr("Copy the whole source"))
        self.copy_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.copy_button.setFont(small_font())
        self.copy_button.setAutoRaise(True)
        self.copy_button.setIconSize(QSize(2 * GRID, 2 * GRID))
        self.copy_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.copy_button.clicked.connect(self.copy)
        head = QHBoxLayout()
        head.setContentsMargins(2 * GRID, 0, GRID, 0)
        head.addWidget(self._title, 1)
        head.addWidget(self.copy_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, GRID // 2, 0, 0)
        column.setSpacing(GRID // 2)
        column.addLayout(head)
        column.addWidget(self.view, 1)
        self._later = QTimer(self, singleShot=True, interval=_LONG_PAUSE_MS)
        self._later.timeout.connect(self._refresh)
        document.changed.connect(self.apply)
        selection.changed.connect(self._follow_selection)
        themes.changed.connect(self._redraw)
        self._redraw()
        self.apply(None, document.snapshot if document.is_open else None)

    @property
    def source(self) -> str:
        """The source, up to date even while the panel is hidden."""
        self._refresh()
        return self.view.source

    def apply(self, old: Snapshot | None, new: Snapshot | None) -> None:
        """Show the source of `new`, at once or as soon as the panel is visible."""
        self._snapshot = new
        self._is_stale = True
        if old is None:
            self.view.verticalScrollBar().setValue(0)
        if not self.isVisible():
            return
        if old is not None and self.view.blockCount() > _LONG_LINES:
            self._later.start()
        else:
            self._refresh()

    def copy(self) -> None:
        """Put the whole source on the clipboard."""
        QGuiApplication.clipboard().setText(self.source)

    def _refresh(self) -> None:
        if not self._is_stale:
            return
        self._is_stale = False
        new = self._snapshot
        in_place = self.view.show_source("" if new is None else to_source(new.architecture, new.inference))
        lines = self.view.source.count("\n")
        title = self.tr("No network is open.") if new is None else self.tr("PyTorch, %d lines") % lines
        self._title.show_text(title)
        self.copy_button.setEnabled(new is not None)
        if in_place:
            # Reading the source as Python costs more than writing it, and would find the same lines.
            self.view.mark(self._marked, scroll=False)
        else:
            self._mark(scroll=False)

    def _follow_selection(self) -> None:
        if self.isVisible():
            self._refresh()
            self._mark(scroll=True)

    def _mark(self, *, scroll: bool) -> None:
        self._marked = []
        if self._snapshot is not None:
            name = network_class_name(self._snapshot.architecture)
            for node_id in self._selection.ids:
                self._marked += lines_of(self.view.source, name, node_id)
        self.view.mark(self._marked, scroll=scroll)

    def _redraw(self) -> None:
        self.copy_button.setIcon(icon("copy", self._themes.theme))
        self._mark(scroll=False)

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()
        self._mark(scroll=True)
