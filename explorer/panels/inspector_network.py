"""The inspector's page for the network as a whole: name, totals, outputs, and which layers they come from."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel, section_label
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.inspector_facts import Fact, Facts
from explorer.panels.inspector_name import NameField
from explorer.panels.inspector_share import Share, ShareBars
from explorer.session import Snapshot


class NetworkPage(QWidget):
    """What is shown while no node is selected.

    Signals:
        renamed(str): the user entered another name.
        chosen(str): the user clicked the bar of this node.
    """

    renamed = Signal(str)
    chosen = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._batch_size = 1
        self._shown: Snapshot | None = None
        self.name = NameField(themes, self)
        self.name.setToolTip(self.tr("The network's name. Click to rename."))
        self.name.committed.connect(self.renamed)
        self.name.reverted.connect(lambda: self.refuse(""))
        self.refusal = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=self)
        self.known = RoleLabel(themes, role="error", font=body_font(), wraps=True, parent=self)
        self.facts = Facts(
            themes,
            {
                "layers": self.tr("Layers"),
                "input": self.tr("Input"),
                "parameters": self.tr("Parameters"),
                "buffers": self.tr("Buffers"),
                "macs": self.tr("MACs, 1 image"),
                "bytes": self.tr("Outputs, 1 image"),
                "batch_bytes": "",
            },
            self,
        )
        self._returns = QGridLayout()
        self.outputs: list[tuple[ElidedLabel, RoleLabel]] = []
        self.bars = ShareBars(themes, self)
        self.bars.chosen.connect(self.chosen)
        self.by_parameters = self._switch(self.tr("Parameters"))
        self.by_macs = self._switch(self.tr("MACs"))
        self.by_parameters.setChecked(True)
        group = QButtonGroup(self)
        for button in (self.by_parameters, self.by_macs):
            group.addButton(button)
            button.toggled.connect(self._show_shares)
        self._arrange()

    def set_batch_size(self, batch_size: int) -> None:
        """How many images the second figure of the outputs' bytes is for."""
        self._batch_size = batch_size
        self.facts.set_name("batch_bytes", self.tr("%s images") % numbers.exact_count(batch_size))

    def apply(self, new: Snapshot, preview: Snapshot | None, *, pulse: bool) -> None:
        """Show the network of `new`; what differs in `preview` as old → new."""
        self._shown = new
        self.name.show_name(new.architecture.name)
        self.facts.apply(self._facts(new), None if preview is None else self._facts(preview), pulse=pulse)
        stop = first_unknown(new)
        self.known.show_text("" if stop is None else self.tr("Totals reach up to %s.") % stop)
        self.known.setVisible(stop is not None)
        self._show_outputs(new)
        self._show_shares()

    def refuse(self, why: str) -> None:
        """Say under the name why it cannot be."""
        self.refusal.show_text(why)
        self.refusal.setVisible(bool(why))
        self.name.set_refused(bool(why))

    def _switch(self, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setFont(small_font())
        button.setCheckable(True)
        button.setAutoRaise(True)
        return button

    def _arrange(self) -> None:
        switch = QHBoxLayout()
        switch.setSpacing(0)
        switch.addWidget(section_label(self._themes, self.tr("By layer"), self), 1)
        switch.addWidget(self.by_parameters)
        switch.addWidget(self.by_macs)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.name)
        column.addWidget(self.refusal)
        column.addWidget(self.facts)
        column.addWidget(self.known)
        column.addSpacing(GRID)
        column.addWidget(section_label(self._themes, self.tr("Returns"), self))
        self._returns.setHorizontalSpacing(GRID)
        self._returns.setVerticalSpacing(2)
        self._returns.setColumnStretch(0, 1)
        column.addLayout(self._returns)
        column.addSpacing(GRID)
        column.addLayout(switch)
        column.addWidget(self.bars)
        column.addStretch(1)
        self.set_batch_size(self._batch_size)
        self.refuse("")

    def _facts(self, snapshot: Snapshot) -> dict[str, Fact]:
        architecture, totals = snapshot.architecture, snapshot.inference.totals

        def counted(amount: int) -> Fact:
            return Fact(numbers.short_count(amount), numbers.exact_count(amount))

        def in_bytes(amount: int) -> Fact:
            return Fact(numbers.short_bytes(amount), self.tr("%s bytes") % numbers.exact_count(amount))

        return {
            "layers": counted(len(architecture) - 1),
            "input": Fact(numbers.shape(architecture.input_shape), self.tr("Channels, height and width")),
            "parameters": counted(totals.num_parameters),
            "buffers": counted(totals.num_buffers),
            "macs": counted(totals.macs),
            "bytes": in_bytes(totals.output_bytes),
            "batch_bytes": in_bytes(totals.output_bytes * self._batch_size),
        }

    def _show_outputs(self, new: Snapshot) -> None:
        ids = new.architecture.outputs
        for row in range(len(self.outputs), len(ids)):
            labels = (
                ElidedLabel(self._themes, font=body_font(), parent=self),
                RoleLabel(self._themes, font=body_font(), parent=self),
            )
            self._returns.addWidget(labels[0], row, 0)
            self._returns.addWidget(labels[1], row, 1)
            self.outputs.append(labels)
        for (name, shape), node_id in zip(self.outputs, ids, strict=False):
            name.show_text(node_id)
            shape.show_text(numbers.shape(new.inference.nodes[node_id].output_shape))
        for row, labels in enumerate(self.outputs):
            for label in labels:
                label.setVisible(row < len(ids))

    def _show_shares(self) -> None:
        if self._shown is None:
            return
        by_macs = self.by_macs.isChecked()
        self.bars.apply(
            [
                Share(node_id, report.layer.category, (report.macs if by_macs else report.num_parameters) or 0)
                for node_id, report in self._shown.inference.nodes.items()
            ]
        )


def first_unknown(snapshot: Snapshot) -> str | None:
    """The first node of which the output is not known, up to which totals reach; None where all are."""
    if snapshot.inference.totals.complete:
        return None
    return next(node_id for node_id, report in snapshot.inference.nodes.items() if report.output_shape is None)
