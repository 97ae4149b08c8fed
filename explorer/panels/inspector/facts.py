"""Rows of figures, each of which opens into its calculation. What they say is worked out by the pages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.layers import Arithmetic
from explorer.look.labels import Role
from explorer.look.numbers import ARROW, UNKNOWN, short_bytes, short_count
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.arithmetic import ArithmeticView, written
from explorer.panels.inspector.row import FactRow

_NOTHING = frozenset({short_count(0), short_bytes(0), UNKNOWN})
"""What is shown muted."""

Working = Callable[[], Sequence[Arithmetic]]
"""Writes out the calculation of a figure; asked only while its row is open."""


class Fact(NamedTuple):
    """A figure as text."""

    text: str
    exact: str
    """For the tooltip: every digit, or why it is not known."""
    share: str = ""
    """Its part of the whole: "12.3 %"."""
    working: Working | None = None
    """None where it is not calculated from anything."""


class Facts(QWidget):
    """Figures under each other, right-aligned; their rows never change, so nothing jumps.

    Signals:
        opened_changed(): another row is open, or none.
    """

    opened_changed = Signal()

    def __init__(
        self,
        themes: ThemeSource,
        names: Mapping[str, str],
        parent: QWidget | None = None,
        *,
        group_starts: Iterable[str] = (),
    ) -> None:
        """
        Args:
            names: what is written before each figure, by key, in order.
            group_starts: keys that stand a little apart from the one before.
        """
        super().__init__(parent)
        self._themes = themes
        self._facts: dict[str, Fact] = {}
        self._rows: dict[str, FactRow] = {}
        self._views: dict[str, ArithmeticView] = {}
        self._below: dict[str, QWidget] = {}
        self._open: set[str] = set()
        starts = set(group_starts)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        for key, name in names.items():
            if key in starts:
                self._column.addSpacing(GRID // 2)
            row = FactRow(themes, name, self)
            row.opened.connect(lambda opened, key=key: self.set_open(key, opened))
            row.copy_asked.connect(lambda key=key: self._copy(key))
            row.step_asked.connect(lambda count, key=key: self._step(key, count))
            self._column.addWidget(row)
            self._rows[key] = row
        self._share_column()
        self._choose_tab_stop()

    # What is shown

    def apply(self, facts: Mapping[str, Fact], preview: Mapping[str, Fact] | None, *, pulse: bool) -> None:
        """Show these figures.

        Args:
            preview: what they would become after the edit under the pointer.
            pulse: light up the figures that differ from those shown.
        """
        for key, row in self._rows.items():
            fact = facts[key]
            after = None if preview is None else preview[key]
            if after is None or after.text == fact.text:
                role: Role = "muted" if fact.text in _NOTHING else "text"
                row.show_figure(fact.text, fact.text, fact.share, role)
                row.setToolTip(fact.exact)
            else:
                whole, short = f"{fact.text} {ARROW} {after.text}", f"{ARROW} {after.text}"
                row.show_figure(whole, short, after.share, "accent")
                row.setToolTip(f"{fact.exact} {ARROW} {after.exact}")
            if pulse and key in self._facts and self._facts[key].text != fact.text:
                row.pulse()
        self._facts = dict(facts)
        self._show_workings()

    def set_name(self, key: str, name: str) -> None:
        """Write something else before a figure."""
        self._rows[key].set_name(name)
        self._share_column()

    @property
    def rows(self) -> list[FactRow]:
        """All rows, from the top."""
        return list(self._rows.values())

    def row(self, key: str) -> FactRow:
        """The row of that key."""
        return self._rows[key]

    def add_below(self, key: str, widget: QWidget) -> None:
        """Put something under a row; its calculation stands below that."""
        self._column.insertWidget(self._column.indexOf(self._rows[key]) + 1, widget)
        self._below[key] = widget

    def text(self, key: str) -> str:
        """What stands there for that key."""
        return self._rows[key].whole

    def tip(self, key: str) -> str:
        """The tooltip of the figure of that key."""
        return self._rows[key].toolTip()

    def as_text(self) -> str:
        """All figures with their calculations, to be copied."""
        return "\n".join(self._written(key) for key in self._rows)

    # Opening

    @property
    def open_keys(self) -> frozenset[str]:
        """The rows that are open, or would be if they had a calculation."""
        return frozenset(self._open)

    @property
    def is_all_open(self) -> bool:
        """Whether no row that has a calculation is folded."""
        return all(row.is_open for row in self._rows.values() if row.can_open)

    def lines(self, key: str) -> Sequence[Arithmetic]:
        """The calculation that is shown under a row; empty where it is folded."""
        working = self._facts[key].working if key in self._facts and key in self._open else None
        return () if working is None else working()

    def set_open(self, key: str, opened: bool) -> None:
        """Open or fold a row."""
        (self._open.add if opened else self._open.discard)(key)
        self._show_workings()
        self.opened_changed.emit()

    def set_all_open(self, opened: bool) -> None:
        """Open or fold all."""
        self._open = set(self._rows) if opened else set()
        self._show_workings()
        self.opened_changed.emit()

    def _show_workings(self) -> None:
        for key, row in self._rows.items():
            can_open = key in self._facts and self._facts[key].working is not None
            is_open = can_open and key in self._open
            row.set_state(can_open=can_open, is_open=is_open)
            if is_open and key not in self._views:
                view = ArithmeticView(self._themes, self)
                self._column.insertWidget(self._column.indexOf(self._below.get(key, row)) + 1, view)
                self._views[key] = view
            if key in self._views:
                if is_open:
                    self._views[key].apply(self.lines(key))
                self._views[key].setVisible(is_open)

    # The keyboard, and copying

    def _step(self, key: str, count: int) -> None:
        keys = [key for key, row in self._rows.items() if row.isVisible()]
        position = keys.index(key) + count
        if 0 <= position < len(keys):
            self._choose_tab_stop(keys[position])
            self._rows[keys[position]].setFocus(Qt.FocusReason.TabFocusReason)

    def _choose_tab_stop(self, chosen: str | None = None) -> None:
        # Tab passes the figures with one stop; the arrow keys go through them.
        chosen = chosen or next(iter(self._rows), None)
        for key, row in self._rows.items():
            row.setFocusPolicy(Qt.FocusPolicy.StrongFocus if key == chosen else Qt.FocusPolicy.ClickFocus)

    def _copy(self, key: str) -> None:
        QGuiApplication.clipboard().setText(self._written(key))

    def _written(self, key: str) -> str:
        fact = self._facts[key]
        share = f" ({fact.share})" if fact.share else ""
        lines = fact.working() if fact.working is not None else ()
        return "\n".join([f"{self._rows[key].name}: {fact.text}{share}", *(f"    {written(line)}" for line in lines)])

    def _share_column(self) -> None:
        widest = max((row.name_width() for row in self._rows.values()), default=0)
        for row in self._rows.values():
            row.set_name_width(widest)
