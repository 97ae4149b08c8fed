"""The lines above the table of runs: what is shown of them, what can be done with the selected ones, and the undo."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu, QToolButton, QWidget

from explorer.look.icons import icon
from explorer.look.labels import RoleLabel
from explorer.look.segments import Toggle
from explorer.look.theme import GRID, Theme, ThemeSource, body_font

_UNDO_MS = 12_000
_HEIGHT = 3 * GRID + 4
_ICON = QSize(2 * GRID, 2 * GRID)


class FilterBar(QWidget):
    """Text, state and tag to filter by, the trash, and buttons.

    Signals:
        changed(): another filter.
        trash_toggled(bool): whether the trash is to be shown.
    """

    changed = Signal()
    trash_toggled = Signal(bool)

    def __init__(self, states: Mapping[str, str], themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make_menu: Callable[[], QMenu] | None = None
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Filter by name, network, data, tag…"))
        self.search.setAccessibleName(self.tr("Filter runs"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(12 * GRID)
        self.search.textChanged.connect(lambda _text: self.changed.emit())
        self.states = QComboBox(self)
        self.states.setAccessibleName(self.tr("State"))
        self.states.addItem(self.tr("All states"), "")
        for state, title in states.items():
            self.states.addItem(title, state)
        self.tags = QComboBox(self)
        self.tags.setAccessibleName(self.tr("Tag"))
        self.tags.addItem(self.tr("All tags"), "")
        self.tags.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.tags.hide()
        for menu in (self.states, self.tags):
            menu.setFont(body_font())
            menu.setMinimumHeight(_HEIGHT)
            menu.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self.search.setFont(body_font())
        self.search.setMinimumHeight(_HEIGHT)
        self.trash_button = Toggle(themes, self)
        self.trash_button.setFont(body_font())
        self.trash_button.setMinimumHeight(_HEIGHT)
        self.trash_button.setIconSize(_ICON)
        self.trash_button.toggled.connect(self.trash_toggled)
        self.more_button = self._button()
        self.more_button.setToolTip(self.tr("Rename, tag, export…"))
        self.more_button.setAccessibleName(self.tr("More"))
        self.more_button.clicked.connect(self._open_menu)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(GRID, 4, GRID, 4)
        self._row.setSpacing(4)
        self._row.addWidget(self.search, 1)
        self._row.addWidget(self.states)
        self._row.addWidget(self.tags)
        self._row.addSpacing(GRID)
        self._row.addWidget(self.more_button)
        self._row.addWidget(self.trash_button)

    @property
    def text(self) -> str:
        """The words to filter by."""
        return self.search.text()

    @property
    def state(self) -> str:
        """The state to filter by; empty for any."""
        return str(self.states.currentData())

    @property
    def tag(self) -> str:
        """The tag to filter by; empty for any."""
        return str(self.tags.currentData() or "")

    def add_actions(self, actions: Sequence[QAction], menu: Callable[[], QMenu]) -> None:
        """Buttons for these, and a last one that opens a menu."""
        self._make_menu = menu
        for action in actions:
            button = self._button()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setVisible(action.isVisible())
            action.visibleChanged.connect(lambda b=button, a=action: b.setVisible(a.isVisible()))
            self._row.insertWidget(self._row.indexOf(self.more_button), button)

    def show_tags(self, tags: Sequence[str]) -> None:
        """Offer these tags."""
        if tuple(tags) == tuple(self.tags.itemText(index) for index in range(1, self.tags.count())):
            return
        chosen = self.tag
        self.tags.blockSignals(True)
        while self.tags.count() > 1:
            self.tags.removeItem(1)
        for tag in tags:
            self.tags.addItem(tag, tag)
        self.tags.setCurrentIndex(max(0, self.tags.findData(chosen)))
        self.tags.blockSignals(False)
        self.tags.setVisible(bool(tags))
        if self.tag != chosen:
            self.changed.emit()

    def show_trash(self, num_trashed: int, is_open: bool) -> None:
        """Say how many runs are in the trash, and whether they are what is shown."""
        with_count = self.tr("Trash ({0})")
        # As wide as with a count of two digits, so that the first run in it pushes no button about.
        self.trash_button.setText(with_count.format(88))
        self.trash_button.setMinimumWidth(self.trash_button.sizeHint().width())
        self.trash_button.setText(with_count.format(num_trashed) if num_trashed else self.tr("Trash"))
        tip = self.tr("Back to the runs") if is_open else self.tr("Runs that were deleted; they can be restored")
        self.trash_button.setToolTip(tip)
        self.trash_button.setChecked(is_open)

    def set_icons(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        self.trash_button.show_icon("remove")
        self.more_button.setIcon(icon("more", theme))

    def _button(self) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFont(body_font())
        button.setMinimumHeight(_HEIGHT)
        button.setIconSize(_ICON)
        return button

    def _open_menu(self) -> None:
        assert self._make_menu is not None
        self._make_menu().popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))


class UndoBar(QWidget):
    """Says what went into the trash, and takes it back; goes by itself.

    Signals:
        undone(tuple[str, ...]): take these runs out of the trash.
    """

    undone = Signal(object)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run_ids: tuple[str, ...] = ()
        self.text = RoleLabel(themes, parent=self)
        self.button = QToolButton(self)
        self.button.setText(self.tr("Undo"))
        self.button.setFont(body_font(bold=True))
        self.button.clicked.connect(self._undo)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * GRID, 4, GRID, 4)
        row.setSpacing(GRID)
        row.addWidget(self.text)
        row.addWidget(self.button)
        row.addStretch(1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_UNDO_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def offer(self, text: str, run_ids: tuple[str, ...]) -> None:
        """Say it, for a while."""
        self._run_ids = run_ids
        self.text.setText(text)
        self.show()
        self._timer.start()

    def _undo(self) -> None:
        self.hide()
        self.undone.emit(self._run_ids)
