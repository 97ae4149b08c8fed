"""The layer table's model: a row a node, a column a number. How cells are painted is `table_cells`'s."""

import time
from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, QTimer
from PySide6.QtGui import QColor, QIcon

from explorer.architecture import Node
from explorer.inference import NodeReport, Totals, changed
from explorer.look import numbers
from explorer.look.icons import category_icon, icon
from explorer.look.labels import role_colour
from explorer.look.theme import ThemeSource
from explorer.session import Snapshot

SORT_ROLE = Qt.ItemDataRole.UserRole + 1
"""What rows are sorted by; unknown values come first."""
PLAIN_ROLE = Qt.ItemDataRole.UserRole + 2
"""Text with every digit, for copies and files."""

PULSE_S = 0.6
_FRAME_MS = 50
_NO_PARENT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class Row(NamedTuple):
    """What a row's values come from."""

    node: Node
    report: NodeReport
    totals: Totals


class Column(NamedTuple):
    """One column: where its value comes from and how it is written."""

    title: str
    help: str
    value: Callable[[Row], Any]
    """What is compared; None where it is unknown."""
    text: Callable[[Any], str]
    exact: Callable[[Any], str]
    is_number: bool
    widest: str
    """A text that always fits."""


class Cell(NamedTuple):
    """Everything that is painted of one cell. One question for it: Qt's own, a role each, take six times as long."""

    text: str
    before: str | None
    """The text before the previewed edit, where it differs."""
    colour: QColor | None
    """The text's, where it is not the theme's."""
    light: QColor | None
    """The ground of a cell that an edit has just changed."""
    picture: QIcon | None
    share: float | None
    """Length of the bar, of one; in the share column only."""
    bar: QColor | None
    is_number: bool


class LayerTableModel(QAbstractTableModel):
    """The nodes in the network's order, with their numbers; while an edit is previewed, with what it makes of them."""

    ID, LAYER, OUTPUT, PARAMETERS, SHARE, MACS, BYTES, FIELD, ISSUE = range(9)

    def __init__(self, themes: ThemeSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._shown: Snapshot | None = None
        self._preview: Snapshot | None = None
        self._rows: list[tuple[Node, NodeReport]] = []
        self._row_of: dict[str, int] = {}
        self._lit: dict[tuple[int, int], float] = {}
        self._icons: dict[object, QIcon] = {}
        self.columns = self._made_columns()
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
        rows_before = self._rows
        self._take(new)
        if had_preview:
            self._announce(0, len(self._rows) - 1)
        if not difference:
            return
        now = time.monotonic()
        rows = sorted(self._row_of[node_id] for node_id in difference)
        for row in rows:
            was, now_is = rows_before[row][1], self._rows[row][1]
            for column, value in _COMPARED:
                if value(was) != value(now_is):
                    self._lit[row, column] = now
        self._announce(rows[0], rows[-1])
        if before.inference.totals.num_parameters != new.inference.totals.num_parameters:
            # Every share is of the total.
            self.dataChanged.emit(self.index(0, self.SHARE), self.index(len(self._rows) - 1, self.SHARE))
        if self._lit:
            self._frames.start()

    def show_preview(self, preview: Snapshot | None) -> None:
        """Show old → new for an edit that is not made yet; None ends it."""
        self._preview = preview
        if self._rows:
            self._announce(0, len(self._rows) - 1)

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
            self._picture(row, column) if column in {self.ID, self.ISSUE} else None,
            value if is_share else None,
            self._themes.theme.category(self._rows[row][0].layer.category) if is_share else None,
            content.is_number,
        )

    def total(self, column: int, *, previewed: bool) -> str:
        """The totals row's text in that column; empty where a sum means nothing."""
        snapshot = self._preview if previewed and self._preview is not None else self._shown
        return self.columns[column].text(_sum(snapshot, column)) if self._sums(snapshot, column) else ""

    def exact_total(self, column: int) -> str:
        """The same with every digit."""
        return self.columns[column].exact(_sum(self._shown, column)) if self._sums(self._shown, column) else ""

    # Qt

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        column = self.columns[section]
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
        if role == SORT_ROLE:
            return _sortable(self._value(row, column))
        if role == Qt.ItemDataRole.DecorationRole:
            return self._picture(row, column)
        if role == Qt.ItemDataRole.BackgroundRole:
            return self._light(row, column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(row, column, self._value(row, column))
        return None

    # Inside

    def _made_columns(self) -> tuple[Column, ...]:
        def exact_bytes(value: int | None) -> str:
            return self.tr("not known") if value is None else self.tr("%s bytes") % numbers.exact_count(value)

        def exact_count(value: int | None) -> str:
            return self.tr("not known") if value is None else numbers.exact_count(value)

        def exact_share(value: float | None) -> str:
            return self.tr("not known") if value is None else numbers.percent(value, 3)

        def size(value: tuple[int, ...] | None) -> str:
            return numbers.UNKNOWN if value is None else numbers.pair(value)

        return (
            Column(
                self.tr("Layer id"),
                self.tr("The node's id, and the prefix of its weights"),
                lambda row: row.node.id,
                str,
                str,
                False,
                "classifier.12.conv",
            ),
            Column(
                self.tr("Layer"),
                self.tr("The type of layer"),
                lambda row: row.node.layer.type_name,
                str,
                lambda _name: "",
                False,
                "AdaptiveAvgPool2d",
            ),
            Column(
                self.tr("Output C×H×W"),
                self.tr("The output's channels, height and width, for one image"),
                lambda row: row.report.output_shape,
                size,
                size,
                True,
                "64×112×112 → 64×110×110",
            ),
            Column(
                self.tr("Parameters"),
                self.tr("Trainable values"),
                lambda row: row.report.num_parameters,
                numbers.short_count,
                exact_count,
                True,
                "888.8 k → 888.8 k",
            ),
            Column(
                self.tr("Share"),
                self.tr("Share of the network's parameters"),
                _share,
                numbers.percent,
                exact_share,
                True,
                "100.0 %  ",
            ),
            Column(
                self.tr("MACs"),
                self.tr("Multiply-accumulates of convolution and linear weights, for one image"),
                lambda row: row.report.macs,
                numbers.short_count,
                exact_count,
                True,
                "888.8 k → 888.8 k",
            ),
            Column(
                self.tr("Output bytes"),
                self.tr("Bytes of the output in float32, for one image"),
                lambda row: row.report.output_bytes,
                numbers.short_bytes,
                exact_bytes,
                True,
                "888.8 kB → 888.8 kB",
            ),
            Column(
                self.tr("Receptive field"),
                self.tr("Input pixels that one output pixel sees"),
                lambda row: row.report.receptive_field and row.report.receptive_field.size,
                size,
                size,
                True,
                "888×888 → 888×888",
            ),
            Column(
                self.tr("Issue"),
                self.tr("What is wrong, and what would fit"),
                lambda row: row.report.issues[0].message if row.report.issues else None,
                lambda message: message or "",
                lambda message: message or "",
                False,
                "kernel_size 40 does not fit",
            ),
        )

    def _take(self, snapshot: Snapshot | None) -> None:
        self._shown = snapshot
        if snapshot is None:
            self._rows = []
        else:
            reports = snapshot.inference.nodes
            self._rows = [(node, reports[node.id]) for node in snapshot.architecture.nodes]
        self._row_of = {node.id: row for row, (node, _) in enumerate(self._rows)}

    def _announce(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))

    def _value(self, row: int, column: int, *, previewed: bool = False) -> Any:
        assert self._shown is not None
        node, report = self._rows[row]
        totals = self._shown.inference.totals
        if previewed and self._preview is not None and node.id in self._preview.architecture:
            node, report = self._preview.architecture[node.id], self._preview.inference.nodes[node.id]
            totals = self._preview.inference.totals
        return self.columns[column].value(Row(node, report, totals))

    def _plain(self, row: int, column: int) -> str:
        value = self._value(row, column)
        if value is None:
            return ""
        return self.columns[column].text(value) if isinstance(value, tuple) else str(value)

    def _sums(self, snapshot: Snapshot | None, column: int) -> bool:
        return snapshot is not None and column in {self.PARAMETERS, self.MACS, self.BYTES}

    def _picture(self, row: int, column: int) -> QIcon | None:
        node, report = self._rows[row]
        theme = self._themes.theme
        if column == self.ID:
            category = node.layer.category
            if category not in self._icons:
                self._icons[category] = category_icon(category, theme)
            return self._icons[category]
        if column == self.ISSUE and report.issues:
            severity = report.issues[0].severity
            if severity not in self._icons:
                self._icons[severity] = icon(severity, theme, role_colour(severity, theme))
            return self._icons[severity]
        return None

    def _colour(self, row: int, column: int, value: object) -> QColor | None:
        theme, issues = self._themes.theme, self._rows[row][1].issues
        if column == self.ISSUE and issues:
            return role_colour(issues[0].severity, theme)
        # Zeros and unknowns step back, so that the layers that cost something stand out.
        quiet = column == self.LAYER or not value
        return theme.muted if quiet else None

    def _light(self, row: int, column: int) -> QColor | None:
        since = self._lit.get((row, column))
        if since is None:
            return None
        left = 1.0 - (time.monotonic() - since) / PULSE_S
        if left <= 0:
            return None
        colour = QColor(self._themes.theme.pulse)
        colour.setAlphaF(0.6 * left)
        return colour

    def _fade(self) -> None:
        now = time.monotonic()
        rows = [row for row, _ in self._lit]
        self._lit = {cell: since for cell, since in self._lit.items() if now - since < PULSE_S}
        if not self._lit:
            self._frames.stop()
        if rows:
            roles = [Qt.ItemDataRole.BackgroundRole]
            last = min(max(rows), len(self._rows) - 1)
            self.dataChanged.emit(self.index(min(rows), 0), self.index(last, len(self.columns) - 1), roles)

    def _recolour(self) -> None:
        self._icons.clear()
        if self._rows:
            self._announce(0, len(self._rows) - 1)


_COMPARED: tuple[tuple[int, Callable[[NodeReport], object]], ...] = (
    (LayerTableModel.OUTPUT, attrgetter("output_shape")),
    (LayerTableModel.PARAMETERS, attrgetter("num_parameters")),
    (LayerTableModel.MACS, attrgetter("macs")),
    (LayerTableModel.BYTES, attrgetter("output_bytes")),
    (LayerTableModel.FIELD, attrgetter("receptive_field")),
    (LayerTableModel.ISSUE, attrgetter("issues")),
)
"""The columns that light up; a share changes with every other layer's, so it does not."""


def _share(row: Row) -> float | None:
    if row.report.num_parameters is None:
        return None
    return row.report.num_parameters / row.totals.num_parameters if row.totals.num_parameters else 0.0


def _sum(snapshot: Snapshot | None, column: int) -> int:
    assert snapshot is not None
    totals = snapshot.inference.totals
    sums = {
        LayerTableModel.PARAMETERS: totals.num_parameters,
        LayerTableModel.MACS: totals.macs,
        LayerTableModel.BYTES: totals.output_bytes,
    }
    return sums[column]


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
