"""The Classes tab: the test images' page and the probe images' page, and the switch between them."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from explorer.look.segments import Segments
from explorer.look.theme import GRID
from explorer.panels.explanations.panel import ExplanationsPanel

TEST_IMAGES, PROBE_IMAGES = 0, 1


class AnswersTab(QWidget):
    """Two pages about what the network says: of all test images, and of those that somebody picked."""

    def __init__(self, tested: QWidget, explained: ExplanationsPanel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(tested)
        self._pages.addWidget(explained)
        self._tools = explained.tools
        self.choice = Segments(((self.tr("Test images"), ""), (self.tr("Probe images"), "")), explained.themes, self)
        row = QHBoxLayout()
        row.setContentsMargins(GRID, GRID // 2, GRID, 0)
        row.setSpacing(4)
        row.addWidget(self.choice)
        row.addSpacing(GRID)
        row.addWidget(self._tools, 1)
        row.addStretch(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addLayout(row)
        column.addWidget(self._pages, 1)
        self.choice.chosen.connect(self.show_page)
        self.show_page(TEST_IMAGES)

    @property
    def page(self) -> int:
        """`TEST_IMAGES` or `PROBE_IMAGES`."""
        return self._pages.currentIndex()

    def show_page(self, page: int) -> None:
        """Bring a page to the front."""
        self._pages.setCurrentIndex(page)
        self.choice.choose(page)
        policy = self._tools.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._tools.setSizePolicy(policy)
        self._tools.setVisible(page == PROBE_IMAGES)

    def sizeHint(self) -> QSize:
        return self._pages.sizeHint()
