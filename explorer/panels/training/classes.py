"""A line that is there where the network scores another number of classes than the data set has, with what mends it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from explorer.inference.class_scores import num_scores, scoring_layers, with_scores
from explorer.look import numbers
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.runs.data_facts import DataFacts
from explorer.runs.data_sources import data_source, data_title
from explorer.session import Document


class ClassesLine(QWidget):
    """Hidden while all is well, and while nobody knows how many classes a data set has.

    Signals:
        changed(): it came, went, or says something else.
    """

    changed = Signal()

    def __init__(self, document: Document, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._data = ""
        self._counted: dict[str, int] = {}
        """Of data sets that were read: folders, above all."""
        self.text = RoleLabel(themes, role="warning", font=small_font(), wraps=True, parent=self)
        self.button = QPushButton(self)
        self.button.setFont(small_font())
        self.button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.button.clicked.connect(self._mend)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        document.changed.connect(lambda _old, _new: self._show())
        self.hide()

    def show_data(self, name: str) -> None:
        """Judge for this data set, as `RunConfig.data` has it."""
        if name != self._data:
            self._data = name
            self._show()

    def learn(self, facts: DataFacts) -> None:
        """Learn how many classes a data set has that was read."""
        self._counted[facts.name] = len(facts.class_names)
        self._show()

    def _num_classes(self) -> int | None:
        known = data_source(self._data)
        return self._counted.get(self._data, None if known is None else known.num_classes)

    def _show(self) -> None:
        num_classes = self._num_classes()
        scored = None
        if self._document.is_open and num_classes is not None:
            inference = self._document.snapshot.inference
            scored = None if inference.errors else num_scores(self._document.architecture, inference)
        if num_classes is None or scored is None or scored == num_classes:
            self.hide()
            self.changed.emit()
            return
        text = self.tr("The network scores {scored} classes, and {data} has {classes}: {why}.")
        if scored > num_classes:
            count = scored - num_classes
            one, several = self.tr("the other one is never right"), self.tr("the other {0} are never right")
            why = one if count == 1 else several.format(numbers.exact_count(count))
        else:
            why = self.tr("a run needs a score for each")
        self.text.show_text(
            text.format(
                scored=numbers.exact_count(scored),
                data=data_title(self._data),
                classes=numbers.exact_count(num_classes),
                why=why,
            )
        )
        layers = scoring_layers(self._document.architecture, self._document.snapshot.inference)
        self.button.setVisible(
            bool(layers) and with_scores(self._document.architecture, layers, num_classes) is not None
        )
        if layers:
            self.button.setText(self.tr("Set {0} to {1}").format(layers[0], numbers.exact_count(num_classes)))
            others = self.tr("; the auxiliary heads too") if len(layers) > 1 else ""
            self.button.setToolTip(self.tr("Its weights start anew{0}. Undo takes it back.").format(others))
        self.show()
        self.changed.emit()

    def _mend(self) -> None:
        num_classes = self._num_classes()
        if num_classes is None:
            return
        architecture = self._document.architecture
        layers = scoring_layers(architecture, self._document.snapshot.inference)
        mended = with_scores(architecture, layers, num_classes)
        if layers and mended is not None:
            text = self.tr("Set {0} to {1} classes").format(layers[0], numbers.exact_count(num_classes))
            self._document.apply(text, mended)
