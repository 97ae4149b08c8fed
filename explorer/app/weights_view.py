"""What of a file of weights fits the network, as a list: counts first, then layer by layer with the reason."""

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal
from PySide6.QtGui import QBrush
from PySide6.QtWidgets import QHBoxLayout, QHeaderView, QPushButton, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from explorer.layers import format_shape
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.runs import WeightsFacts
from explorer.runtime.weights_report import NodeWeights, Outcome, WeightsReport

_OUTCOMES: tuple[Outcome, ...] = ("misfit", "missing", "fresh", "taken")
"""In the order of the list: what needs a look comes first."""
_MOST_CLASSES = 3
_MOST_OPEN = 12
"""A group of more rows than this starts closed, if it holds nothing that needs a look."""


def counts_text(report: WeightsReport) -> str:
    """Every count on one line: "39 taken · 1 fresh · 0 missing · 1 does not fit · 2 unused in the file"."""
    counts = {outcome: len(report.of(outcome)) for outcome in _OUTCOMES}
    parts = (
        _tr("{0} taken").format(counts["taken"]),
        _tr("{0} fresh").format(counts["fresh"]),
        _tr("{0} missing").format(counts["missing"]),
        (_tr("{0} does not fit") if counts["misfit"] == 1 else _tr("{0} do not fit")).format(counts["misfit"]),
        _tr("{0} unused in the file").format(len(report.unused)),
    )
    return " · ".join(parts)


def facts_text(facts: WeightsFacts) -> str:
    """How images were prepared for the weights, or that nobody knows, and what their scores stand for."""
    sentences = []
    if facts.normalization is not None:
        sentences.append(
            _tr(
                "Trained on images normalised with {0}; a run does so too, unless the training form says otherwise."
            ).format(facts.normalization.text)
        )
    else:
        sentences.append(
            _tr(
                "The file says nothing of how images were normalised for it; a run goes by its data set's own mean and "
                "standard deviation, unless the training form says otherwise."
            )
        )
    if facts.class_names:
        first = ", ".join(facts.class_names[:_MOST_CLASSES])
        more = len(facts.class_names) - _MOST_CLASSES
        rest = _tr(" and {0} more").format(f"{more:,}") if more > 0 else ""
        sentences.append(_tr("{0} classes: {1}{2}.").format(f"{len(facts.class_names):,}", first, rest))
    return " ".join(sentences)


class WeightsView(QWidget):
    """The report of one file.

    Signals:
        chosen(WeightsReport): the user wants this reading of the file, by name or by order.
    """

    chosen = Signal(object)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._by_name: WeightsReport | None = None
        self.report: WeightsReport | None = None
        """What is shown."""
        self.name = ElidedLabel(themes, font=body_font(bold=True), parent=self)
        self.summary = RoleLabel(themes, wraps=True, parent=self)
        self.counts = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.offer = RoleLabel(themes, role="warning", wraps=True, parent=self)
        self.offer_button = QPushButton(self)
        self.offer_button.setAutoDefault(False)
        self.offer_button.clicked.connect(self._switch)
        self.facts = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        self.notes = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        self.list = QTreeWidget(self)
        self.list.setColumnCount(3)
        self.list.setHeaderLabels([self.tr("Layer"), self.tr("Shape"), self.tr("Why")])
        self.list.setAlternatingRowColors(True)
        self.list.setUniformRowHeights(True)
        self.list.setMinimumHeight(24 * GRID)
        self.list.setAccessibleName(self.tr("What becomes of each layer"))
        header = self.list.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self.offer, 1)
        row.addWidget(self.offer_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        for widget in (self.name, self.summary, self.counts, self.facts):
            column.addWidget(widget)
        column.addLayout(row)
        column.addWidget(self.list, 1)
        column.addWidget(self.notes)
        themes.changed.connect(self._fill)

    def show_report(self, name: str, report: WeightsReport, facts: WeightsFacts) -> None:
        """Show another file's report, and what is known of the file beside it."""
        self._by_name = report
        self.facts.show_text(facts_text(facts))
        self.name.show_text(name)
        self._show(report)

    def _switch(self) -> None:
        if self._by_name is None or self.report is None:
            return
        other = self._by_name.by_order if self.report is self._by_name else self._by_name
        if other is not None:
            self._show(other)
            self.chosen.emit(other)

    def _show(self, report: WeightsReport) -> None:
        self.report = report
        self.summary.show_text(report.summary)
        self.counts.show_text(counts_text(report))
        self.notes.show_text("\n".join(report.notes))
        self.notes.setVisible(bool(report.notes))
        offered = report.by_order
        if offered is not None:
            self.offer.show_text(
                self.tr(
                    "The names differ, but the shapes agree one after the other: paired in order, {0} of {1} layers "
                    "take weights. That is a guess; compare the results afterwards."
                ).format(len(offered.taken), len(offered.nodes))
            )
            self.offer_button.setText(self.tr("Pair in order"))
        elif report.matching == "order":
            self.offer.show_text(self.tr("Paired in order and not by name: only the shapes say that this is right."))
            self.offer_button.setText(self.tr("Pair by name"))
        is_offer = offered is not None or report.matching == "order"
        self.offer.setVisible(is_offer)
        self.offer_button.setVisible(is_offer)
        self._fill()

    def _fill(self) -> None:
        self.list.clear()
        if self.report is None:
            return
        titles: dict[Outcome, str] = {
            "misfit": self.tr("Does not fit"),
            "missing": self.tr("Missing in the file"),
            "fresh": self.tr("Starts anew, for another number of classes"),
            "taken": self.tr("Taken from the file"),
        }
        for outcome in _OUTCOMES:
            rows = [(node.node_id, _shapes(node), node.text) for node in self.report.of(outcome)]
            self._add(titles[outcome], rows, is_warning=outcome in ("misfit", "missing"), is_good=outcome == "taken")
        unused = [(tensor.name, format_shape(tensor.shape), tensor.text) for tensor in self.report.unused]
        self._add(self.tr("Left over in the file"), unused, is_warning=False, is_good=False)

    def _add(self, title: str, rows: list[tuple[str, str, str]], *, is_warning: bool, is_good: bool) -> None:
        if not rows:
            return
        theme = self._themes.theme
        group = QTreeWidgetItem(self.list, [f"{title} ({len(rows):,})"])
        group.setFirstColumnSpanned(True)
        group.setFont(0, body_font(bold=True))
        group.setForeground(0, QBrush(theme.warning if is_warning else theme.good if is_good else theme.text))
        group.setFlags(Qt.ItemFlag.ItemIsEnabled)
        group.setSizeHint(0, QSize(0, 3 * GRID))  # all rows are as high as the first
        muted = QBrush(theme.muted)
        for name, shape, why in rows:
            item = QTreeWidgetItem(group, [name, shape, why])
            item.setForeground(1, muted)
            item.setToolTip(2, why)
        group.setExpanded(is_warning or len(rows) <= _MOST_OPEN)


def _shapes(node: NodeWeights) -> str:
    """The first tensor's shape; the file's behind it where that is another."""
    first = next((m for m in node.matches if m.source_shape not in (None, m.shape)), node.matches[0])
    own = format_shape(first.shape)
    return own if first.source_shape in (None, first.shape) else f"{own} / {format_shape(first.source_shape or ())}"


def _tr(text: str) -> str:
    return QCoreApplication.translate("WeightsView", text)
