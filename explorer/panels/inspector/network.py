"""The inspector's page for the network as a whole: name, totals, memory, outputs, and which layers they come from."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from explorer.inference import NodeReport
from explorer.layers import Arithmetic
from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel, section_label
from explorer.look.segments import Segments
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.estimates import Estimates
from explorer.panels.inspector import working
from explorer.panels.inspector.facts import Fact, Facts
from explorer.panels.inspector.heading import FactsHeading
from explorer.panels.inspector.memory import MemorySection
from explorer.panels.inspector.name import NameField
from explorer.panels.inspector.share import Share, ShareBars
from explorer.session import Snapshot

_MEASURES = ("parameters", "macs", "output", "kept")


class NetworkPage(QWidget):
    """What is shown while no node is selected.

    Signals:
        renamed(str): the user entered another name.
        chosen(str): the user clicked the bar of this node.
        batch_chosen(int): the user wants batches of this size.
    """

    renamed = Signal(str)
    chosen = Signal(str)
    batch_chosen = Signal(int)

    def __init__(self, estimates: Estimates, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._estimates = estimates
        self._themes = themes
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
                "trainable": self.tr("Trainable"),
                "frozen": self.tr("Frozen"),
                "buffers": self.tr("Buffers"),
                "macs": self.tr("MACs, 1 image"),
                "flops": self.tr("FLOPs, 1 image"),
                "bytes": self.tr("Outputs, 1 image"),
                "batch_bytes": "",
            },
            self,
            group_starts=("parameters", "macs", "bytes"),
        )
        self.heading = FactsHeading(self.facts, themes, self.tr("Figures"), self)
        self.memory = MemorySection(estimates, themes, self)
        self.memory.batch_chosen.connect(self.batch_chosen)
        self._returns = QGridLayout()
        self.outputs: list[tuple[ElidedLabel, RoleLabel]] = []
        self.bars = ShareBars(themes, self)
        self.bars.chosen.connect(self.chosen)
        self.measure = Segments(
            (
                (self.tr("Parameters"), ""),
                (self.tr("MACs"), ""),
                (self.tr("Outputs"), self.tr("Bytes of the outputs, for one image")),
                (self.tr("Kept"), self.tr("What autograd keeps for the backward pass, for the batch")),
            ),
            themes,
            self,
            is_small=True,
        )
        self.measure.chosen.connect(lambda _place: self._show_shares())
        self._arrange()

    def apply(self, new: Snapshot, preview: Snapshot | None, *, pulse: bool) -> None:
        """Show the network of `new`; what differs in `preview` as old → new."""
        self._shown = new
        self.name.show_name(new.architecture.name)
        batch_size = numbers.exact_count(self._estimates.conditions.batch_size)
        self.facts.set_name("batch_bytes", self.tr("Outputs, %s images") % batch_size)
        self.facts.apply(self._facts(new), None if preview is None else self._facts(preview), pulse=pulse)
        stop = first_unknown(new)
        self.known.show_text("" if stop is None else self.tr("Totals reach up to %s.") % stop)
        self.known.setVisible(stop is not None)
        self.memory.apply(new, preview, pulse=pulse)
        self._show_outputs(new)
        self._show_shares()

    def refuse(self, why: str) -> None:
        """Say under the name why it cannot be."""
        self.refusal.show_text(why)
        self.refusal.setVisible(bool(why))
        self.name.set_refused(bool(why))

    def _arrange(self) -> None:
        measure = QHBoxLayout()
        measure.addWidget(self.measure)
        measure.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.name)
        column.addWidget(self.refusal)
        column.addWidget(self.heading)
        column.addWidget(self.facts)
        column.addWidget(self.known)
        column.addSpacing(GRID)
        column.addWidget(self.memory)
        column.addSpacing(GRID)
        column.addWidget(section_label(self._themes, self.tr("Returns"), self))
        self._returns.setHorizontalSpacing(GRID)
        self._returns.setVerticalSpacing(2)
        self._returns.setColumnStretch(0, 1)
        column.addLayout(self._returns)
        column.addSpacing(GRID)
        column.addWidget(section_label(self._themes, self.tr("By layer"), self))
        column.addLayout(measure)
        column.addWidget(self.bars)
        column.addStretch(1)
        self.refuse("")

    def _facts(self, snapshot: Snapshot) -> dict[str, Fact]:
        architecture, totals = snapshot.architecture, snapshot.inference.totals
        batch_size = self._estimates.conditions.batch_size

        def summed(key: str, amount_of: Callable[[NodeReport], int | None]) -> Callable[[], list[Arithmetic]]:
            def lines() -> list[Arithmetic]:
                parts = [(node_id, amount_of(report) or 0) for node_id, report in snapshot.inference.nodes.items()]
                return [working.sum_line(key, parts, self.tr("the sum over all layers"))]

            return lines

        def counted(amount: int, lines: Callable[[], list[Arithmetic]] | None = None, share: str = "") -> Fact:
            return Fact(numbers.short_count(amount), numbers.exact_count(amount), share, lines if amount else None)

        def in_bytes(amount: int, lines: Callable[[], list[Arithmetic]]) -> Fact:
            return Fact(numbers.short_bytes(amount), self.tr("%s bytes") % numbers.exact_count(amount), "", lines)

        def part(amount: int) -> str:
            return numbers.share(amount, totals.num_parameters) if totals.num_frozen else ""

        return {
            "layers": counted(len(architecture) - 1),
            "input": Fact(numbers.shape(architecture.input_shape), self.tr("Channels, height and width")),
            "parameters": counted(totals.num_parameters, summed("parameters", lambda r: r.num_parameters)),
            "trainable": counted(
                totals.num_trainable, summed("trainable", lambda r: r.num_trainable), part(totals.num_trainable)
            ),
            "frozen": counted(
                totals.num_frozen,
                summed("frozen", lambda r: (r.num_parameters or 0) - (r.num_trainable or 0)),
                part(totals.num_frozen),
            ),
            "buffers": counted(totals.num_buffers, summed("buffers", lambda r: r.num_buffers)),
            "macs": counted(totals.macs, summed("multiply-accumulates", lambda r: r.macs)),
            "flops": counted(totals.flops, lambda: [working.flops_line(totals.macs)]),
            "bytes": in_bytes(totals.output_bytes, summed("output bytes", lambda r: r.output_bytes)),
            "batch_bytes": in_bytes(
                totals.output_bytes * batch_size, lambda: [working.batch_line(totals.output_bytes, batch_size)]
            ),
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
        nodes = self._shown.inference.nodes
        amount_of: Callable[[str], int | None]
        by = _MEASURES[self.measure.current]
        if by == "kept":
            amount_of = self._estimates.memory(self._shown).nodes.get
        elif by == "output":
            amount_of = lambda node_id: nodes[node_id].output_bytes  # noqa: E731 - one expression in each branch
        elif by == "macs":
            amount_of = lambda node_id: nodes[node_id].macs  # noqa: E731
        else:
            amount_of = lambda node_id: nodes[node_id].num_parameters  # noqa: E731
        self.bars.apply(
            [Share(node_id, report.layer.category, amount_of(node_id) or 0) for node_id, report in nodes.items()],
            numbers.short_bytes if by in {"kept", "output"} else numbers.exact_count,
        )


def first_unknown(snapshot: Snapshot) -> str | None:
    """The first node of which the output is not known, up to which totals reach; None where all are."""
    if snapshot.inference.totals.complete:
        return None
    return next(node_id for node_id, report in snapshot.inference.nodes.items() if report.output_shape is None)
