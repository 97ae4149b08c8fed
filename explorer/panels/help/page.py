"""The help window: what is selected, explained, with links to everything else that is. Its texts are `text`'s."""

from collections.abc import Callable

from PySide6.QtCore import QByteArray, Qt, QUrl
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QTextBrowser, QToolButton, QVBoxLayout, QWidget

from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.help.text import CONTENTS, selected_html, topic_html
from explorer.session import Document, Selection
from explorer.session.places import settings

_GEOMETRY_KEY = "help/geometry"
_SELECTED = "selected"
_SIZE = (56 * GRID, 80 * GRID)


class HelpPage(QWidget):
    """A window of its own beside the main one; follows the selection until a link leads elsewhere."""

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._topic = CONTENTS
        self._before: list[str] = []
        self.setWindowTitle(self.tr("Help"))
        self.browser = QTextBrowser(self)
        self.browser.setFrameShape(QFrame.Shape.NoFrame)
        self.browser.setFont(body_font())
        self.browser.setOpenLinks(False)
        self.browser.document().setDocumentMargin(2 * GRID)
        self.browser.anchorClicked.connect(self._follow_link)
        self.back_button = self._button(self.tr("Back"), self.go_back)
        self.selected_button = self._button(self.tr("Selected"), lambda: self.show_topic(_SELECTED))
        self.contents_button = self._button(self.tr("Contents"), lambda: self.show_topic(CONTENTS))
        row = QHBoxLayout()
        row.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        for button in (self.back_button, self.selected_button, self.contents_button):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.browser, 1)
        geometry = settings().value(_GEOMETRY_KEY)
        if not (isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)):
            self.resize(*_SIZE)
        themes.changed.connect(self._redraw)
        selection.changed.connect(self._follow)
        document.changed.connect(self._follow)
        self._redraw()

    @property
    def topic(self) -> str:
        """What is shown: `selected`, or a topic of `text`."""
        return self._topic

    def open(self) -> None:
        """Show the help on what is selected; all topics where no network is open."""
        self.show_topic(_SELECTED if self._document.is_open else CONTENTS)
        self.show()
        self.raise_()
        self.activateWindow()
        self.browser.setFocus()

    def show_topic(self, topic: str) -> None:
        """Show a topic; `go_back` leads back to the one before."""
        if topic != self._topic:
            self._before.append(self._topic)
            self._topic = topic
        self._redraw()
        self.browser.verticalScrollBar().setValue(0)

    def go_back(self) -> None:
        """Show what was shown before."""
        if self._before:
            self._topic = self._before.pop()
            self._redraw()
            self.browser.verticalScrollBar().setValue(0)

    def _button(self, text: str, clicked: Callable[[], None]) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setAutoRaise(True)
        button.clicked.connect(lambda _checked=False: clicked())
        return button

    def _follow_link(self, link: QUrl) -> None:
        self.show_topic(link.toString(QUrl.ComponentFormattingOption.FullyEncoded))

    def _follow(self, *_what: object) -> None:
        # While it is hidden the page is not written again at each click; `open` does that.
        if self._topic == _SELECTED and self.isVisible():
            self._redraw()

    def _redraw(self, *_theme: object) -> None:
        theme = self._themes.theme
        colours = self.browser.palette()
        colours.setColor(QPalette.ColorRole.Base, theme.panel)
        colours.setColor(QPalette.ColorRole.Text, theme.text)
        self.browser.setPalette(colours)
        self.back_button.setEnabled(bool(self._before))
        self.selected_button.setEnabled(self._document.is_open)
        if self._topic == _SELECTED and not self._document.is_open:
            self._topic = CONTENTS
        if self._topic == _SELECTED:
            html = selected_html(self._document.snapshot, self._selection.current, theme)
        else:
            html = topic_html(self._topic, theme)
        place = self.browser.verticalScrollBar().value()
        self.browser.setHtml(html)
        self.browser.verticalScrollBar().setValue(place)

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.matches(QKeySequence.StandardKey.Back):
            self.go_back()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        settings().setValue(_GEOMETRY_KEY, self.saveGeometry())
        super().hideEvent(event)
