"""The files of a data set that were skipped, or not taken as they are, by what is wrong with them."""

from collections import defaultdict

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.runs.data_facts import Problem

_MOST_SHOWN = 500
"""Of one kind; the copied list has all."""


class ProblemList(QWidget):
    """One line a reason, its files below."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._problems: tuple[Problem, ...] = ()
        self.summary = RoleLabel(themes, font=body_font(), wraps=True, parent=self)
        self.summary.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.copy_button = QPushButton(self.tr("Copy list"), self)
        self.copy_button.setToolTip(self.tr("Copy all files and what is wrong with each to the clipboard"))
        self.copy_button.clicked.connect(self._copy)
        self.tree = QTreeWidget(self)
        self.tree.setHeaderHidden(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setAccessibleName(self.tr("Problems of the data set"))
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.summary, 1)
        row.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(row)
        column.addWidget(self.tree, 1)

    def show_problems(self, problems: tuple[Problem, ...]) -> None:
        """Show these."""
        self._problems = problems
        num_skipped = sum(problem.is_skipped for problem in problems)
        num_taken = len(problems) - num_skipped
        parts = [self.tr("{0} skipped").format(numbers.exact_count(num_skipped))] if num_skipped else []
        parts += [self.tr("{0} taken, but changed").format(numbers.exact_count(num_taken))] if num_taken else []
        self.summary.show_text(" · ".join(parts) or self.tr("Every file was read as it is."))
        self.copy_button.setVisible(bool(problems))
        self.tree.setVisible(bool(problems))
        self.tree.clear()
        groups: dict[tuple[bool, str], list[str]] = defaultdict(list)
        for problem in problems:
            groups[not problem.is_skipped, problem.reason].append(problem.path)
        for (is_taken, reason), paths in sorted(groups.items(), key=lambda group: (group[0][0], -len(group[1]))):
            head = QTreeWidgetItem([f"{reason} ({numbers.exact_count(len(paths))})"])
            head.setToolTip(0, self.tr("taken, but changed") if is_taken else self.tr("skipped"))
            for path in paths[:_MOST_SHOWN]:
                head.addChild(QTreeWidgetItem([path]))
            if len(paths) > _MOST_SHOWN:
                more = self.tr("and {0} more").format(numbers.exact_count(len(paths) - _MOST_SHOWN))
                head.addChild(QTreeWidgetItem([more]))
            self.tree.addTopLevelItem(head)
            head.setExpanded(len(paths) <= 5)

    @property
    def text(self) -> str:
        """What is copied: one file a line."""
        return "\n".join(f"{problem.path}: {problem.reason}" for problem in self._problems)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
