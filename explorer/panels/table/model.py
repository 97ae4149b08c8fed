"""The layer table's model, a row a node. Its columns are `columns`'s, how cells are painted `cells`'s."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPixmap

from explorer.architecture import Node
from explorer.inference import NodeReport, changed
from explorer.look.icons import category_icon, icon
from explorer.look.labels import role_colour
from explorer.look.query import Subject
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.table.columns import (
    COMPARED,
    LEARNED,
    MEASURED,
    Column,
    PartSums,
    Place,
    Row,
    Sums,
    made_columns,
    part_sums,
    sums_of,
    worst_issue,
)
from explorer.session import Snapshot
from explorer.session.layer_statistics import KnownStatistics
from explorer.session.profile_session import Measured

PLAIN_ROLE = Qt.ItemDataRole.UserRole + 1
"""Text with every digit, for copies and files."""

PULSE_S = 0.6
ICON = 2 * GRID
_FRAME_MS = 50
_NO_PARENT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class Cell(NamedTuple):
    """Everything that is painted of one cell. One question for it: Qt's own, a role each, take six times as long."""

    text: str
    before: str | None
    """The text before the previewed edit, where it differs."""
    colour: QColor | None
    """The text's, where it is not the theme's."""
    light: QColor | None
    """The ground of a cell that an edit has just changed."""
    picture: QPixmap | None
    share: float | None
    """Length of the bar, of one; in the share column only."""
    bar: QColor | None
    is_number: bool


class LayerTableModel(QAbstractTableModel):
    """The nodes in the network's order, with their numbers; while an edit is previewed, with what it makes of them."""

    ID, LAYER, OUTPUT, PARAMETERS, SHARE, MACS, BYTES, KEPT, *_OTHERS, FIELD, STRIDE, ISSUE = Place
    SHARED = (PARAMETERS, MACS, BYTES, KEPT)
    """The columns of whose sum the share column can show each row's part."""

    def __init__(self, themes: ThemeSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._shown: Snapshot | None = None
        self._preview: Snapshot | None = None
        self._measured: Measured | None = None
        self._statistics: KnownStatistics | None = None
        self._sums: Sums | None = None
        self._preview_sums: Sums | None = None
        self._counted: Sequence[int] | None = None
        self._part: PartSums | None = None
        self._preview_part: PartSums | None = None
        self._subjects: tuple[Subject, ...] | None = None
        self._share_of: int = self.PARAMETERS
        self._rows: list[tuple[Node, NodeReport]] = []
        self._row_of: dict[str, int] = {}
        self._lit: dict[int, tuple[float, NodeReport]] = {}
        """When a row changed, and what it said before."""
        self._icons: dict[object, QIcon] = {}
        self._pixmaps: dict[object, QPixmap] = {}
        self.columns = made_columns(self._share)
        self._frames = QTimer(self, interval=_FRAME_MS)
        self._frames.timeout.connect(self._fade)
        themes.changed.connect(self._recolour)

    def apply(self, old: Snapshot | None, new: Snapshot | None) -> None:
        """Show `new`; cells that differ from `old` light up."""
        before = self._shown
        had_preview = self._preview is not None
        self._preview = None
        if new is None or before is None or old is None or changed(before, new).structure:
            self.beginResetModel()
            self._take(new)
            self._lit.clear()
            self.endResetModel()
            return
        difference = changed(before, new).changed
        rows_before, sums_before = self._rows, self._sums
        self._take(new)
        if had_preview:
            self._announce(0, len(self._rows) - 1)
        if not difference:
            return
        now = time.monotonic()
        rows = sorted(self._row_of[node_id] for node_id in difference)
        self._lit.update((row, (now, rows_before[row][1])) for row in rows)
        self._announce(rows[0], rows[-1])
        if sums_before is not None and sums_before.of(self._share_of) != self._known_sums().of(self._share_of):
            # Every share is of the total.
            self.dataChanged.emit(self.index(0, self.SHARE), self.index(len(self._rows) - 1, self.SHARE))
        self._frames.start()

    def show_preview(self, preview: Snapshot | None) -> None:
        """Show old → new for an edit that is not made yet; None ends it."""
        self._preview = preview
        self._preview_sums = None if preview is None else self._sums_of(preview)
        self._count()
        if self._rows:
            self._announce(0, len(self._rows) - 1)

    def show_measured(self, measured: Measured | None) -> None:
        """Show what a profile measured; None takes it away."""
        self._measured = measured
        if self._sums is not None:
            self._sums = self._sums._replace(measured=measured)
        if self._preview_sums is not None:
            self._preview_sums = self._preview_sums._replace(measured=measured)
        if self._rows:
            self._count()
            last = len(self._rows) - 1
            self.dataChanged.emit(self.index(0, MEASURED[0]), self.index(last, MEASURED[-1]))

    def show_statistics(self, known: KnownStatistics | None) -> None:
        """Show what was measured of the layers; None takes it away."""
        self._statistics = known
        if self._sums is not None:
            self._sums = self._sums._replace(statistics=known)
        if self._preview_sums is not None:
            self._preview_sums = self._preview_sums._replace(statistics=known)
        if self._rows:
            self.dataChanged.emit(self.index(0, LEARNED[0]), self.index(len(self._rows) - 1, LEARNED[-1]))

    @property
    def share_of(self) -> int:
        """The column of whose sum the share column shows each row's part."""
        return self._share_of

    def set_share_of(self, column: int) -> None:
        """Show the rows' parts of another column's sum; one of `SHARED`."""
        assert column in self.SHARED, column
        self._share_of = column
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, self.SHARE, self.SHARE)
        if self._rows:
            self.dataChanged.emit(self.index(0, self.SHARE), self.index(len(self._rows) - 1, self.SHARE))

    def node_id(self, row: int) -> str:
        """The node in that row."""
        return self._rows[row][0].id

    def row_of(self, node_id: str) -> int | None:
        """The row of that node."""
        return self._row_of.get(node_id)

    def text(self, row: int, column: int, *, previewed: bool = False) -> str:
        """What the cell says; the texts before and after the previewed edit are equal where it changes nothing."""
        content = self.columns[column]
        return content.text(self._value(row, column, previewed=previewed))

    def cell(self, row: int, column: int) -> Cell:
        """What is painted there."""
        content = self.columns[column]
        value = self._value(row, column)
        text, before = content.text(value), None
        if self._preview is not None:
            value = self._value(row, column, previewed=True)
            was, text = text, content.text(value)
            before = was if was != text else None
        is_share = column == self.SHARE
        return Cell(
            text,
            before,
            self._colour(row, column, value),
            self._light(row, column) if self._lit else None,
            self._pixmap(row, column),
            value if is_share else None,
            self._themes.theme.category(self._rows[row][0].layer.category) if is_share else None,
            content.is_number,
        )

    def subjects(self) -> Sequence[Subject]:
        """The rows as what a query looks at."""
        if self._subjects is None:
            kept: Mapping[str, int] = {} if self._sums is None else self._sums.memory.nodes
            self._subjects = tuple([Subject(node.id, report, kept.get(node.id)) for node, report in self._rows])
        return self._subjects

    def sort_keys(self, column: int) -> Sequence[tuple[bool, float | str]]:
        """What each row is sorted by in that column; unknown values come first."""
        values = (_sortable(self._value(row, column)) for row in range(len(self._rows)))
        return [(isinstance(value, str), value) for value in values]

    def sum_up(self, rows: Sequence[int] | None) -> None:
        """Let the totals be of these rows; None: of the network."""
        self._counted = rows
        self._count()

    @property
    def part(self) -> PartSums | None:
        """The sums over the rows that are summed up; None where they are all."""
        return self._part

    def total(self, column: int, *, previewed: bool) -> str:
        """The totals row's text in that column; empty where a sum means nothing."""
        sums: Sums | PartSums | None = self._part or self._sums
        if previewed and self._preview_sums is not None:
            sums = self._preview_part or self._preview_sums
        amount = None if sums is None else sums.of(column)
        return "" if amount is None else self.columns[column].text(amount)

    def exact_total(self, column: int) -> str:
        """The same with every digit."""
        sums: Sums | PartSums | None = self._part or self._sums
        amount = None if sums is None else sums.of(column)
        return "" if amount is None else self.columns[column].exact(amount)

    # Qt

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        column = self.columns[section]
        if section == self.SHARE and role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            of = self.columns[self._share_of].title
            is_title = role == Qt.ItemDataRole.DisplayRole
            return self.tr("% {}").format(of) if is_title else self.tr("Share of the column {}").format(of)
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.help
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(row, column, previewed=True)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(self.columns[column])
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.columns[column].exact(self._value(row, column)) or None
        if role == PLAIN_ROLE:
            return self._plain(row, column)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._picture(row, column)
        if role == Qt.ItemDataRole.BackgroundRole:
            return self._light(row, column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(row, column, self._value(row, column))
        return None

    # Inside

    def _take(self, snapshot: Snapshot | None) -> None:
        self._shown = snapshot
        self._sums = None if snapshot is None else self._sums_of(snapshot)
        self._preview_sums = None
        if snapshot is None:
            self._rows = []
        else:
            reports = snapshot.inference.nodes
            self._rows = [(node, reports[node.id]) for node in snapshot.architecture.nodes]
        self._row_of = {node.id: row for row, (node, _) in enumerate(self._rows)}
        self._subjects = None
        self._counted = self._part = self._preview_part = None

    def _sums_of(self, snapshot: Snapshot) -> Sums:
        return sums_of(snapshot, self._measured)._replace(statistics=self._statistics)

    def _count(self) -> None:
        self._part = self._preview_part = None
        if self._counted is None or self._shown is None or self._sums is None:
            return
        ids = [self._rows[row][0].id for row in self._counted]
        self._part = part_sums(self._shown, ids, self._sums)
        if self._preview is not None and self._preview_sums is not None:
            self._preview_part = part_sums(self._preview, ids, self._preview_sums)

    def _announce(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))

    def _value(self, row: int, column: int, *, previewed: bool = False) -> Any:
        node, report = self._rows[row]
        sums = self._known_sums()
        if previewed and self._preview is not None and node.id in self._preview.architecture:
            assert self._preview_sums is not None
            node, report = self._preview.architecture[node.id], self._preview.inference.nodes[node.id]
            sums = self._preview_sums
        return self.columns[column].value(Row(node, report, sums))

    def _known_sums(self) -> Sums:
        assert self._sums is not None
        return self._sums

    def _share(self, row: Row) -> float | None:
        value, total = self.columns[self._share_of].value(row), row.sums.of(self._share_of)
        return None if value is None else value / total if total else 0.0

    def _plain(self, row: int, column: int) -> str:
        value = self._value(row, column)
        if value is None:
            return ""
        return self.columns[column].text(value) if isinstance(value, tuple) else str(value)

    def _pixmap(self, row: int, column: int) -> QPixmap | None:
        """The cell's icon as pixels: its font would be drawn anew in every cell."""
        if column == self.ID:
            key: object = self._rows[row][0].layer.category
        elif column == self.ISSUE and (worst := worst_issue(self._rows[row][1])) is not None:
            key = worst.severity
        else:
            return None
        pixmap = self._pixmaps.get(key)
        if pixmap is None:
            picture = self._picture(row, column)
            assert picture is not None
            pixmap = self._pixmaps[key] = picture.pixmap(QSize(ICON, ICON), _device_pixel_ratio())
        return pixmap

    def _picture(self, row: int, column: int) -> QIcon | None:
        node, report = self._rows[row]
        theme = self._themes.theme
        if column == self.ID:
            category = node.layer.category
            if category not in self._icons:
                self._icons[category] = category_icon(category, theme)
            return self._icons[category]
        if column == self.ISSUE and (worst := worst_issue(report)) is not None:
            severity = worst.severity
            if severity not in self._icons:
                self._icons[severity] = icon(severity, theme, role_colour(severity, theme))
            return self._icons[severity]
        return None

    def _colour(self, row: int, column: int, value: object) -> QColor | None:
        theme = self._themes.theme
        if column == self.ISSUE and (worst := worst_issue(self._rows[row][1])) is not None:
            return role_colour(worst.severity, theme)
        # Zeros and unknowns step back, so that the layers that cost something stand out.
        quiet = column == self.LAYER or not value
        return theme.muted if quiet else None

    def _light(self, row: int, column: int) -> QColor | None:
        changed_row = self._lit.get(row)
        compared = COMPARED.get(column)
        if changed_row is None or compared is None:
            return None
        since, before = changed_row
        if compared(before) == compared(self._rows[row][1]):
            return None
        left = 1.0 - (time.monotonic() - since) / PULSE_S
        if left <= 0:
            return None
        colour = QColor(self._themes.theme.pulse)
        colour.setAlphaF(0.6 * left)
        return colour

    def _fade(self) -> None:
        now = time.monotonic()
        rows = list(self._lit)
        self._lit = {row: lit for row, lit in self._lit.items() if now - lit[0] < PULSE_S}
        if not self._lit:
            self._frames.stop()
        if rows:
            roles = [Qt.ItemDataRole.BackgroundRole]
            last = min(max(rows), len(self._rows) - 1)
            self.dataChanged.emit(self.index(min(rows), 0), self.index(last, len(self.columns) - 1), roles)

    def _recolour(self) -> None:
        self._icons.clear()
        self._pixmaps.clear()
        if self._rows:
            self._announce(0, len(self._rows) - 1)


def _device_pixel_ratio() -> float:
    application = QGuiApplication.instance()
    return application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0


def _sortable(value: object) -> float | str:
    if isinstance(value, tuple):
        product = 1.0
        for size in value:
            product *= size
        return product
    return float(value) if isinstance(value, (int, float)) else str(value) if value is not None else -1.0


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
