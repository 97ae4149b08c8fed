"""The table of the Runs tab as a view: how wide columns are, which are shown, and that this is remembered.

What a cell says is `model`'s; what the user does with the rows is `panel`'.
"""

from PySide6.QtCore import QByteArray, QPoint, QSize, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QMenu,
    QTableView,
    QWidget,
)

from explorer.look.headers import ArrowHeader
from explorer.look.theme import GRID, Theme, body_font, small_font
from explorer.panels.runs.model import NAME, STATE, WHEN, RunsFilter, RunsModel
from explorer.session.places import settings

_HEADER_KEY = "runs/header"
_HIDDEN_AT_FIRST = (8, 9)
_ROW_HEIGHT = 3 * GRID + 2


class RunsTable(QTableView):
    """The view. Columns, their widths and the order of the rows are as they were left; else the newest is on top."""

    def __init__(self, model: RunsModel, filtered: RunsFilter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.setHorizontalHeader(ArrowHeader(self))
        self.setModel(filtered)
        self.setFont(body_font())
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setIconSize(QSize(GRID + 2, GRID + 2))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.EditKeyPressed | triggers.SelectedClicked)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        self._set_up_columns()

    def show_column(self, column: int, shown: bool) -> None:
        """Show or hide a column; remembered for the next start, as are widths, places and the order of the rows."""
        self.setColumnHidden(column, not shown)
        self.remember()

    def remember(self) -> None:
        """Keep the columns and the order of the rows for the next start."""
        settings().setValue(_HEADER_KEY, self.horizontalHeader().saveState())

    def recolour(self, theme: Theme) -> None:
        """Give selected rows a quiet ground, on which text and marks keep their colours."""
        colours = QPalette()
        colours.setColor(QPalette.ColorRole.Highlight, _tinted(theme))
        colours.setColor(QPalette.ColorRole.HighlightedText, theme.text)
        self.setPalette(colours)

    def _set_up_columns(self) -> None:
        header = self.horizontalHeader()
        header.setFont(small_font())
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSectionsMovable(True)
        header.setSectionsClickable(True)
        header.setFixedHeight(3 * GRID)
        header.setMinimumSectionSize(4 * GRID)
        header.setSortIndicator(WHEN, Qt.SortOrder.DescendingOrder)
        self.setSortingEnabled(True)
        for column, content in enumerate(self._model.columns):
            width = max(
                self.fontMetrics().horizontalAdvance(content.widest),
                ArrowHeader.width_of(content.title),
            )
            self.setColumnWidth(column, width + GRID + 4 + (GRID + 4 if column in (NAME, STATE) else 0))
            self.setColumnHidden(column, column in _HIDDEN_AT_FIRST)
        stored = settings().value(_HEADER_KEY)
        if isinstance(stored, QByteArray):
            header.restoreState(stored)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open_columns_menu)

    def _open_columns_menu(self, position: QPoint) -> None:
        header, menu = self.horizontalHeader(), QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column, content in enumerate(self._model.columns):
            if column == NAME:
                continue
            action = menu.addAction(content.title)
            action.setCheckable(True)
            action.setChecked(not header.isSectionHidden(column))
            action.setToolTip(content.help)
            action.toggled.connect(lambda shown, column=column: self.show_column(column, shown))
        menu.popup(header.viewport().mapToGlobal(position))


def _tinted(theme: Theme) -> QColor:
    share = 0.2
    over, ground = theme.accent, theme.panel
    return QColor.fromRgbF(
        over.redF() * share + ground.redF() * (1 - share),
        over.greenF() * share + ground.greenF() * (1 - share),
        over.blueF() * share + ground.blueF() * (1 - share),
    )
