"""The table of runs: its columns, what each cell says and sorts by, and which rows a filter leaves."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap

from explorer.look import numbers
from explorer.look.theme import GRID, Theme, ThemeSource
from explorer.runs import RunRecord
from explorer.runs.data_sources import data_title
from explorer.session.runs_session import RunsSession

Index = QModelIndex | QPersistentModelIndex
SORT_ROLE = Qt.ItemDataRole.UserRole + 1
PLAIN_ROLE = Qt.ItemDataRole.UserRole + 2
"""Text with every digit, for copies."""
NAME, DATA, STATE, BEST, WHEN, TAGS = 0, 2, 3, 5, 10, 11
_ROOT = QModelIndex()
_DOT = 10


class Column(NamedTuple):
    """One column."""

    title: str
    help: str
    text: Callable[[RunRecord], str]
    key: Callable[[RunRecord], Any]
    """What rows are sorted by."""
    widest: str
    """The widest text that is shown without being shortened."""
    is_number: bool = False


class RunsModel(QAbstractTableModel):
    """A row a run. Name and tags can be edited."""

    def __init__(self, runs: RunsSession, themes: ThemeSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._themes = themes
        self._records: tuple[RunRecord, ...] = ()
        self._series: Mapping[str, QColor] = {}
        self.columns = self._made_columns()
        self.states = {
            "running": self.tr("running"),
            "completed": self.tr("completed"),
            "stopped": self.tr("stopped"),
            "failed": self.tr("failed"),
            "interrupted": self.tr("interrupted"),
        }
        themes.changed.connect(lambda _theme: self._redraw())

    @property
    def records(self) -> tuple[RunRecord, ...]:
        """The runs, row by row."""
        return self._records

    def apply(self, records: tuple[RunRecord, ...]) -> None:
        """Show these runs; rows stay where they are while only numbers change."""
        old, self._records = self._records, records
        if [record.run_id for record in old] == [record.run_id for record in records]:
            for row, (before, after) in enumerate(zip(old, records, strict=True)):
                if before != after:
                    self.dataChanged.emit(self.index(row, 0), self.index(row, len(self.columns) - 1))
            return
        self._records = old
        self.beginResetModel()
        self._records = records
        self.endResetModel()

    def show_series(self, colours: Mapping[str, QColor]) -> None:
        """Mark the runs whose curves are drawn with their colour, by run id."""
        self._series = dict(colours)
        self._redraw()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._records)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return column.help
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() in (NAME, TAGS) else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        record, column = self._records[index.row()], self.columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.states[record.state] if index.column() == STATE else column.text(record)
            case Qt.ItemDataRole.EditRole:
                return record.name if index.column() == NAME else ", ".join(record.tags)
            case Qt.ItemDataRole.ToolTipRole:
                return self._tip(record, index.column())
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
            case Qt.ItemDataRole.DecorationRole:
                return self._dot(record, index.column())
            case Qt.ItemDataRole.ForegroundRole:
                return self._themes.theme.muted if column.text(record) == numbers.UNKNOWN else None
            case int(role) if role == SORT_ROLE:
                return column.key(record)
            case int(role) if role == PLAIN_ROLE:
                return self._plain(record, index.column())
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        run_id, text = self._records[index.row()].run_id, str(value)
        if index.column() == NAME:
            self._runs.rename(run_id, text)
        else:
            self._runs.set_tags(run_id, text.replace(";", ",").split(","))
        return True

    def _made_columns(self) -> tuple[Column, ...]:
        number = {"is_number": True}
        return (
            Column(self.tr("Name"), self.tr("What you call it; F2 renames"), lambda r: r.title, _name, "M" * 10),
            Column(
                self.tr("Network"),
                self.tr("The network as it was then"),
                lambda r: r.architecture_name,
                lambda r: r.architecture_name.casefold(),
                "M" * 8,
            ),
            Column(self.tr("Data"), self.tr("Data set"), _data, lambda r: _data(r).casefold(), "Fashion-MNIST"),
            Column(
                self.tr("State"),
                self.tr("How it ended, if it did"),
                lambda r: r.state,
                lambda r: r.state,
                "interrupted",
            ),
            Column(
                self.tr("Epochs"),
                self.tr("Epochs finished, of those planned"),
                lambda r: f"{r.epoch}/{r.config.epochs}",
                lambda r: r.epoch,
                "100/100",
                **number,
            ),
            Column(
                self.tr("Best"),
                self.tr("Highest test accuracy of an epoch"),
                lambda r: numbers.percent(r.best_accuracy, 2),
                lambda r: r.best_accuracy,
                "100.00 %",
                **number,
            ),
            Column(
                self.tr("Last"),
                self.tr("Test accuracy after the last epoch"),
                lambda r: numbers.percent(r.test_accuracy, 2),
                lambda r: r.test_accuracy,
                "100.00 %",
                **number,
            ),
            Column(
                self.tr("Loss"),
                self.tr("Test loss after the last epoch, in nats"),
                lambda r: numbers.loss(r.test_loss),
                lambda r: r.test_loss,
                "0.0000",
                **number,
            ),
            Column(
                self.tr("Images/s"),
                self.tr("Training images a second"),
                lambda r: numbers.exact_count(r.images_per_second),
                lambda r: r.images_per_second,
                "100,000",
                **number,
            ),
            Column(
                self.tr("Device"),
                self.tr("Where it trained"),
                lambda r: r.device or numbers.UNKNOWN,
                lambda r: r.device or "",
                "CPU, 16 threads",
            ),
            Column(
                self.tr("When"),
                self.tr("When it began"),
                lambda r: when(r.created),
                lambda r: r.created.timestamp(),
                "00 Mmm 00:00",
                **number,
            ),
            Column(
                self.tr("Tags"),
                self.tr("Yours, with commas between them; a double-click edits"),
                lambda r: ", ".join(r.tags),
                lambda r: ", ".join(r.tags).casefold(),
                "M" * 8,
            ),
        )

    def _plain(self, record: RunRecord, column: int) -> str:
        value, content = self.columns[column].key(record), self.columns[column]
        if column == WHEN:
            return record.created.isoformat()
        return content.text(record) if value is None or not content.is_number else f"{value:.7g}"

    def _tip(self, record: RunRecord, column: int) -> str:
        match column:
            case 3 if record.message:
                return record.message
            case int(found) if found == WHEN:
                return record.created.astimezone().strftime("%Y-%m-%d %H:%M:%S")
            case 0:
                return "\n".join(text for text in (record.title, record.run_id, record.note) if text)
            case 2:
                return record.config.data
        return self.columns[column].text(record)

    def _dot(self, record: RunRecord, column: int) -> QIcon | None:
        theme = self._themes.theme
        if column == NAME:
            return dot(self._series.get(record.run_id))
        return dot(state_colour(record.state, theme)) if column == STATE else None

    def _redraw(self) -> None:
        if self._records:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._records) - 1, len(self.columns) - 1))


class RunsFilter(QSortFilterProxyModel):
    """Leaves the rows that a text, a state and a tag fit, sorted; what is not known comes last either way."""

    def __init__(self, model: RunsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()
        self._state = self._tag = ""
        self.setSourceModel(model)
        self.setSortRole(SORT_ROLE)

    @property
    def is_on(self) -> bool:
        """Whether rows may be left out."""
        return bool(self._words or self._state or self._tag)

    def show_only(self, *, text: str | None = None, state: str | None = None, tag: str | None = None) -> None:
        """Filter by the words of a text, by a state and by a tag; empty for any, None to leave it as it is."""
        if text is not None:
            self._words = tuple(text.casefold().split())
        self._state = self._state if state is None else state
        self._tag = self._tag if tag is None else tag
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        model = self.sourceModel()
        assert isinstance(model, RunsModel)
        record = model.records[row]
        if self._state not in ("", record.state) or (self._tag and self._tag not in record.tags):
            return False
        parts = (record.name, record.architecture_name, record.run_id, _data(record), record.note, record.device or "")
        whole = " ".join((*parts, *record.tags, model.states[record.state])).casefold()
        return all(word in whole for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:
        a, b = left.data(SORT_ROLE), right.data(SORT_ROLE)
        if a is not None and b is not None:
            return bool(a < b)
        # Falling order is this one reversed.
        falls = self.sortOrder() == Qt.SortOrder.DescendingOrder
        return (b is not None and falls) if a is None else not falls


def when(moment: dt.datetime, now: dt.datetime | None = None) -> str:
    """A moment of the past as short as it can be told: "14:05" of today, "21 Nov 14:05", "21 Nov 2025"."""
    local = moment.astimezone()
    today = (now or dt.datetime.now(dt.UTC)).astimezone()
    if local.date() == today.date():
        return local.strftime("%H:%M")
    return local.strftime("%d %b %H:%M" if local.year == today.year else "%d %b %Y").lstrip("0")


def state_colour(state: str, theme: Theme) -> QColor:
    """What marks a state."""
    colours = {"running": theme.accent, "completed": theme.good, "failed": theme.error, "interrupted": theme.warning}
    return colours.get(state, theme.muted)


def dot(colour: QColor | None) -> QIcon:
    """A round mark; None for the room of one."""
    ratio = 2.0
    picture = QPixmap(int(_DOT * ratio), int(_DOT * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    if colour is not None:
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(1, 1, GRID, GRID)
        painter.end()
    mark = QIcon(picture)
    # Qt would tint it on a selected row, and colours stand for runs and states here.
    mark.addPixmap(picture, QIcon.Mode.Selected)
    return mark


def copied(rows: Sequence[Sequence[str]]) -> str:
    """Rows as spreadsheets take them from the clipboard."""
    return "\n".join("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row) for row in rows)


def _name(record: RunRecord) -> str:
    return record.title.casefold()


def _data(record: RunRecord) -> str:
    return data_title(record.config.data)
