"""Which rows the layer table shows and in which order: those that a query finds, sorted by a column or as they come.

Qt's own proxy asks Python for each row that it filters, and twice for each pair that it sorts: with ten thousand layers
a key typed into the filter would take a third of a second.
"""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractProxyModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from explorer.panels.table.model import LayerTableModel

_NO_PARENT = QModelIndex()
Index = QModelIndex | QPersistentModelIndex


class ShownRows(QAbstractProxyModel):
    """The rows of a layer table's model that are shown."""

    def __init__(self, model: LayerTableModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._column = -1
        self._descending = False
        self._found: Sequence[int] | None = None
        self._rows: Sequence[int] = range(model.rowCount())
        self._places: dict[int, int] | None = None
        self._sorted: tuple[int, ...] | None = None
        """All rows in order, whether shown or not; None where they have to be sorted again."""
        self.setSourceModel(model)
        model.dataChanged.connect(self._take_values)
        model.headerDataChanged.connect(self.headerDataChanged)
        model.modelAboutToBeReset.connect(self.beginResetModel)
        model.modelReset.connect(self._take_rows)

    @property
    def is_filtered(self) -> bool:
        """Whether some rows may not be shown."""
        return self._found is not None

    def source_row(self, row: int) -> int:
        """The model's row that is shown in that row."""
        return self._rows[row]

    def row_of(self, source_row: int) -> int | None:
        """Where a row of the model is shown; None where it is not."""
        if self._places is None:
            self._places = {source: row for row, source in enumerate(self._rows)}
        return self._places.get(source_row)

    def show_found(self, found: Sequence[int] | None) -> None:
        """Show these rows of the model alone, which come in its order; None: all."""
        if found != self._found:
            self.beginResetModel()
            self._found = found
            self._order()
            self.endResetModel()

    # Qt

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column, or, by −1, as the rows come."""
        self._column, self._descending = column, order == Qt.SortOrder.DescendingOrder
        self._sort_again()

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        return 0 if parent.isValid() else self._model.columnCount()

    def index(self, row: int, column: int, parent: Index = _NO_PARENT) -> QModelIndex:
        is_there = 0 <= row < len(self._rows) and 0 <= column < self._model.columnCount() and not parent.isValid()
        return self.createIndex(row, column) if is_there else QModelIndex()

    def parent(self, _index: Index = _NO_PARENT) -> QModelIndex:  # type: ignore[override]  # the other is the object's
        return QModelIndex()

    def mapToSource(self, index: Index) -> QModelIndex:
        return self._model.index(self._rows[index.row()], index.column()) if index.isValid() else QModelIndex()

    def mapFromSource(self, index: Index) -> QModelIndex:
        row = self.row_of(index.row()) if index.isValid() else None
        return QModelIndex() if row is None else self.createIndex(row, index.column())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        # Qt's own way leads over the first row, which a filter can take away.
        return self._model.headerData(section, orientation, role)

    # Inside

    def _take_rows(self) -> None:
        # What the old rows were found for is found anew by whoever knows what is looked for.
        self._found = None
        self._sorted = None
        self._order()
        self.endResetModel()

    def _take_values(self, first: QModelIndex, last: QModelIndex, roles: Sequence[int] = ()) -> None:
        if not self._rows:
            return
        if Qt.ItemDataRole.BackgroundRole not in roles and first.column() <= self._column <= last.column():
            self._sort_again()
        is_plain = isinstance(self._rows, range)
        top, bottom = (first.row(), last.row()) if is_plain else (0, len(self._rows) - 1)
        self.dataChanged.emit(self.index(top, first.column()), self.index(bottom, last.column()), roles)

    def _sort_again(self) -> None:
        self.layoutAboutToBeChanged.emit()
        kept = self.persistentIndexList()
        held = [(self._rows[index.row()], index.column()) for index in kept]
        self._sorted = None
        self._order()
        moved = [QModelIndex() if (at := self.row_of(row)) is None else self.index(at, c) for row, c in held]
        self.changePersistentIndexList(kept, moved)
        self.layoutChanged.emit()

    def _order(self) -> None:
        self._places = None
        all_rows = range(self._model.rowCount())
        if self._column < 0:
            self._rows = all_rows if self._found is None else self._found
            return
        if self._sorted is None:
            keys = self._model.sort_keys(self._column)
            self._sorted = tuple(sorted(all_rows, key=keys.__getitem__, reverse=self._descending))
        if self._found is None:
            self._rows = self._sorted
        else:
            found = set(self._found)
            self._rows = [row for row in self._sorted if row in found]
