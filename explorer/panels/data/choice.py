"""Which data set: the menu, a folder of one's own, the download where it is not here; below, its numbers."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.segments import level
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.data.facts_text import fact_rows
from explorer.panels.scroll_body import ScrollBody
from explorer.runs.data_facts import DataFacts, DataState
from explorer.runs.data_sources import DATA_SOURCES, DIGITS, FOLDER_PREFIX, data_source, data_title, folder_of

_BAR_STEPS = 1000


class DataChoice(ScrollBody):
    """The column at the left of the page.

    Signals:
        chosen(str): a data set, as `RunConfig.data`.
        download_asked(str): fetch it.
        cancel_asked(): end the download.
        reload_asked(): look at the files anew.
    """

    chosen = Signal(str)
    download_asked = Signal(str)
    cancel_asked = Signal()
    reload_asked = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._name = DIGITS
        self._states: dict[str, DataState] = {}
        self._fetched = ""
        self._folders: list[str] = []
        self.menu = QComboBox(self)
        self.menu.setAccessibleName(self.tr("Data set"))
        self.menu.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.menu.activated.connect(lambda index: self._choose(self.menu.itemData(index)))
        self.folder_button = QToolButton(self)
        self.folder_button.setText(self.tr("Folder…"))
        self.folder_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.folder_button.setToolTip(
            self.tr(
                "Use a folder of images with one folder a class, which may lie in train and val; or drop one on this "
                "page"
            )
        )
        self.folder_button.clicked.connect(self._ask_folder)
        self.reload_button = QToolButton(self)
        self.reload_button.setToolTip(self.tr("Look at the files anew"))
        self.reload_button.setAccessibleName(self.tr("Look at the files anew"))
        self.reload_button.clicked.connect(self.reload_asked)
        for button in (self.folder_button, self.reload_button):
            button.setIconSize(QSize(2 * GRID, 2 * GRID))
        self.about = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        self.message = RoleLabel(themes, role="error", font=body_font(), wraps=True, parent=self)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.download_button = QPushButton(self)
        self.download_button.clicked.connect(lambda: self.download_asked.emit(self._name))
        self.digits_button = QPushButton(self.tr("Use digits"), self)
        self.digits_button.setToolTip(self.tr("The data set that comes along and needs no network"))
        self.digits_button.clicked.connect(lambda: self._choose(DIGITS))
        self.cancel_button = QPushButton(self.tr("Cancel"), self)
        self.cancel_button.setToolTip(
            self.tr("End the download; the next one goes on from there where the server gives parts of files")
        )
        self.cancel_button.clicked.connect(self.cancel_asked)
        self.progress = QProgressBar(self)
        self.progress.setRange(0, _BAR_STEPS)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(GRID)
        self.progress_text = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self._lay_out()
        self._fill()
        self.show_facts(None)
        self.show_download("", 0.0)
        self.say("")
        themes.changed.connect(self._recolour)
        self._recolour()

    @property
    def name(self) -> str:
        """What is chosen."""
        return self._name

    def show_choice(self, name: str) -> None:
        """Show that this data set is chosen; nothing is emitted."""
        self._name = name
        if folder_of(name) is not None and name not in self._folders:
            self._folders.append(name)
        self.say("")
        self._fill()

    def show_states(self, states: Sequence[DataState]) -> None:
        """Show which data sets are here."""
        self._states = {state.name: state for state in states}
        self._fill()

    def set_held(self, why: str) -> None:
        """Keep the choice as it is; `why` is the reason, empty to let it go."""
        self.menu.setEnabled(not why)
        self.folder_button.setEnabled(not why)
        self.digits_button.setEnabled(not why)
        self.menu.setToolTip(why)

    def show_download(self, fetched: str, share: float, text: str = "") -> None:
        """Show how far a download is; an empty name for none."""
        self._fetched = fetched
        self.progress.setRange(0, _BAR_STEPS if text else 0)
        self.progress.setValue(round(share * _BAR_STEPS))
        self.progress_text.show_text(text or self.tr("Connecting…"))
        for widget in (self.progress, self.progress_text, self.cancel_button):
            widget.setVisible(bool(fetched))
        self._offer()

    def say(self, text: str) -> None:
        """Show why something did not work; nothing for an empty text."""
        self.message.show_text(text)
        self.message.setVisible(bool(text))
        self._offer()

    def show_facts(self, facts: DataFacts | None) -> None:
        """Show a data set's numbers; None while they are not known."""
        rows = [] if facts is None else fact_rows(facts)
        for place, (title, value) in enumerate(self._rows):
            shown = place < len(rows)
            title.setVisible(shown)
            value.setVisible(shown)
            if shown:
                title.show_text(rows[place].title)
                value.show_text(rows[place].value)
                value.set_role("error" if rows[place].is_fault else "text")
                value.setToolTip(rows[place].tip)

    # Building

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self.menu, 1)
        first.addWidget(self.folder_button)
        first.addWidget(self.reload_button)
        level(self.menu, self.folder_button, self.reload_button)
        loading = QHBoxLayout()
        loading.setSpacing(GRID)
        loading.addWidget(self.progress_text, 1)
        loading.addWidget(self.cancel_button)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(self.download_button)
        buttons.addWidget(self.digits_button)
        buttons.addStretch(1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        self._rows: list[tuple[RoleLabel, RoleLabel]] = []
        for row in range(8):
            title = RoleLabel(self._themes, role="muted", font=small_font(), parent=self)
            value = RoleLabel(self._themes, font=small_font(), wraps=True, parent=self)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(title, row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, row, 1)
            self._rows.append((title, value))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, GRID, 0)
        column.setSpacing(GRID)
        column.addLayout(first)
        column.addWidget(self.about)
        column.addWidget(self.message)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addLayout(loading)
        column.addLayout(grid)
        column.addStretch(1)

    def _fill(self) -> None:
        self.menu.clear()
        for source in DATA_SOURCES:
            state = self._states.get(source.id)
            text = source.title
            if state is not None and not state.is_here:
                text = self.tr("{0} (↓ {1})").format(text, numbers.short_bytes(source.download_bytes))
            self.menu.addItem(text, source.id)
            missing = self.tr("to download") if state is not None and not state.is_here else ""
            tip = "\n".join(part for part in (source.about, missing, state.place if state is not None else "") if part)
            self.menu.setItemData(self.menu.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        if self._folders:
            self.menu.insertSeparator(self.menu.count())
        for name in self._folders:
            self.menu.addItem(self.tr("{0} (folder)").format(data_title(name)), name)
            self.menu.setItemData(self.menu.count() - 1, str(folder_of(name)), Qt.ItemDataRole.ToolTipRole)
        self.menu.setCurrentIndex(self.menu.findData(self._name))
        chosen = data_source(self._name)
        about = str(folder_of(self._name)) if chosen is None else f"{chosen.about[0].upper()}{chosen.about[1:]}."
        self.about.show_text(about)
        self._offer()

    def _offer(self) -> None:
        """The download where it is not here; the digits where anything else does not work."""
        source, state = data_source(self._name), self._states.get(self._name)
        is_missing = source is not None and state is not None and not state.is_here
        self.download_button.setVisible(is_missing and self._fetched != self._name)
        self.download_button.setEnabled(not self._fetched)
        if source is not None:
            self.download_button.setText(self.tr("Download {0}").format(numbers.short_bytes(source.download_bytes)))
        helps = is_missing or bool(self.message.text())
        self.digits_button.setVisible(helps and self._name != DIGITS and not self._fetched)

    def _choose(self, name: str) -> None:
        if name != self._name:
            self.show_choice(name)
            self.chosen.emit(name)

    def _ask_folder(self) -> None:
        before = folder_of(self._name)
        start = str(before.parent) if before is not None else str(Path.home())
        path = QFileDialog.getExistingDirectory(self, self.tr("Folder of images, one folder a class"), start)
        if path:
            self._choose(f"{FOLDER_PREFIX}{Path(path)}")

    def _recolour(self) -> None:
        theme = self._themes.theme
        self.folder_button.setIcon(icon("open", theme))
        self.reload_button.setIcon(icon("again", theme))
