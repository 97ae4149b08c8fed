"""The inspector's page for selected nodes: name, form, issues, figures, arithmetic. Selection is the inspector's."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from explorer.inference import NodeReport, arithmetic
from explorer.layers import Layer
from explorer.look import numbers
from explorer.look.icons import category_icon
from explorer.look.labels import ElidedLabel, RoleLabel, section_label
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.arithmetic import ArithmeticView
from explorer.panels.inspector_facts import Fact, Facts
from explorer.panels.inspector_form import Form
from explorer.panels.inspector_name import NameField
from explorer.panels.issues import IssueCards
from explorer.session import Document, Snapshot


class NodePage(QWidget):
    """One node, or several together.

    Signals:
        edited(str, object): the user chose this value for the hyper-parameter of that name.
        left(): the focus left an editor.
        renamed(str): the user entered another id.
        source_asked(str): the user wants to see the node whose issue leaves this one unknown.
    """

    edited = Signal(str, object)
    left = Signal()
    renamed = Signal(str)
    source_asked = Signal(str)

    def __init__(self, document: Document, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._ids: tuple[str, ...] = ()
        self._type: type[Layer] | None = None
        self._forms: dict[type[Layer], Form] = {}
        self._batch_size = 1
        self._picture = QLabel(self)
        self.name = NameField(themes, self)
        self.name.committed.connect(self.renamed)
        self.name.reverted.connect(lambda: self.refuse(""))
        self._title = ElidedLabel(themes, font=self.name.font(), parent=self)
        self._type_name = ElidedLabel(themes, role="muted", font=body_font(), parent=self)
        self.refusal = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=self)
        self.summary = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        self.no_form = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        self.issues = IssueCards(document, themes, shows_node=False, parent=self)
        self.facts = Facts(themes, self._fact_names(), self)
        self.why = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        self.why.setTextFormat(Qt.TextFormat.RichText)
        self.why.linkActivated.connect(self.source_asked)
        self._arithmetic_title = section_label(themes, self.tr("Arithmetic"), self)
        self.arithmetic = ArithmeticView(themes, self)
        self._arrange()
        themes.changed.connect(self._redraw)

    @property
    def form(self) -> Form | None:
        """The form that is shown; None where layers of several types are selected."""
        return None if self._type is None else self._forms.get(self._type)

    def set_batch_size(self, batch_size: int) -> None:
        """How many images the second figure of the output's bytes is for."""
        self._batch_size = batch_size
        self.facts.set_name("batch_bytes", self.tr("%s images") % numbers.exact_count(batch_size))

    def apply(self, ids: tuple[str, ...], new: Snapshot, preview: Snapshot | None) -> None:
        """Show these nodes of `new`; what differs in `preview` as old → new."""
        restart = ids != self._ids
        self._ids = ids
        reports = [new.inference.nodes[node_id] for node_id in ids]
        types = {type(report.layer) for report in reports}
        self._show_type(types.pop() if len(types) == 1 else None, reports)
        if restart:
            self.refuse("")
        self._show_head(ids, reports)
        if self._type is not None:
            self._forms[self._type].show_reports(reports, restart=restart)
        self.issues.apply([issue for report in reports for issue in report.issues] if len(ids) == 1 else ())
        after = preview if preview is not None and all(i in preview.architecture for i in ids) else None
        self.facts.apply(self._facts(ids, new), None if after is None else self._facts(ids, after), pulse=not restart)
        self._show_why(ids, new)
        self._show_arithmetic(ids, new)

    def refuse(self, why: str) -> None:
        """Say under the name why it cannot be."""
        self.refusal.show_text(why)
        self.refusal.setVisible(bool(why))
        self.name.set_refused(bool(why))

    # What is shown

    def _fact_names(self) -> Mapping[str, str]:
        return {
            "input": self.tr("Input"),
            "output": self.tr("Output"),
            "parameters": self.tr("Parameters"),
            "buffers": self.tr("Buffers"),
            "macs": self.tr("MACs"),
            "bytes": self.tr("Output, 1 image"),
            "batch_bytes": "",
            "field": self.tr("Receptive field"),
            "stride": self.tr("Output stride"),
        }

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.name, 1)
        head.addWidget(self._title, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID)
        self._column.addLayout(head)
        self._column.addWidget(self.refusal)
        self._column.addWidget(self._type_name)
        self._column.addWidget(self.summary)
        self._column.addWidget(self.no_form)
        self._form_place = self._column.count()
        self._column.addWidget(self.issues)
        self._column.addSpacing(GRID)
        self._column.addWidget(section_label(self._themes, self.tr("Figures"), self))
        self._column.addWidget(self.facts)
        self._column.addWidget(self.why)
        self._column.addSpacing(GRID)
        self._column.addWidget(self._arithmetic_title)
        self._column.addWidget(self.arithmetic)
        self._column.addStretch(1)
        self.set_batch_size(self._batch_size)
        self.refuse("")

    def _show_type(self, layer_type: type[Layer] | None, reports: Sequence[NodeReport]) -> None:
        if layer_type is not self._type or not self._forms:
            for form in self._forms.values():
                form.setVisible(False)
            self._type = layer_type
            if layer_type is not None and layer_type not in self._forms:
                form = Form(layer_type, self._themes, self)
                form.edited.connect(self.edited)
                form.left.connect(self.left)
                self._forms[layer_type] = form
                self._column.insertWidget(self._form_place, form)
            if layer_type is not None:
                self._forms[layer_type].setVisible(bool(layer_type.hyper_parameters))
            self._redraw()
        if layer_type is None:
            self.no_form.show_text(self.tr("Select layers of one type to edit their values together."))
        else:
            self.no_form.show_text("" if layer_type.hyper_parameters else self.tr("Nothing to set."))
        self.no_form.setVisible(bool(self.no_form.text()))

    def _show_head(self, ids: tuple[str, ...], reports: Sequence[NodeReport]) -> None:
        single = len(ids) == 1
        self.name.setVisible(single)
        self._title.setVisible(not single)
        if single:
            self.name.show_name(ids[0])
            self.name.setToolTip(self.tr("The id, and the prefix of the weights in the state_dict. Click to rename."))
            self._type_name.show_text(reports[0].layer.type_name)
            self.summary.show_text(reports[0].layer.summary)
        else:
            layers = self.tr("layers") if self._type is None else self._type.__name__
            self._title.show_text(self.tr("%d %s") % (len(ids), layers))
            self._type_name.show_text(", ".join(ids))
            self.summary.show_text(
                "" if self._type is None else self.tr("An edit sets the value of all of them, in one step.")
            )
        self.summary.setVisible(bool(self.summary.text()))

    def _facts(self, ids: tuple[str, ...], snapshot: Snapshot) -> dict[str, Fact]:
        reports = [snapshot.inference.nodes[node_id] for node_id in ids]
        totals = snapshot.inference.totals
        unknown = self.tr("Not known: %s") % (_why(ids[0], snapshot, self.tr) or "")

        def fact(value: object, text: str, exact: str) -> Fact:
            return Fact(numbers.UNKNOWN, unknown) if value is None else Fact(text, exact)

        def counted(values: Sequence[int | None], write: Callable[[float | None], str], whole: int = 0) -> Fact:
            known = [value for value in values if value is not None]
            if len(known) < len(values):
                return Fact(numbers.UNKNOWN, unknown)
            amount = sum(known)
            exact = numbers.exact_count(amount)
            if whole:
                exact += self.tr(", %s of the network") % numbers.percent(amount / whole)
            return Fact(write(amount), exact)

        def in_bytes(factor: int) -> Fact:
            sizes = [None if r.output_bytes is None else r.output_bytes * factor for r in reports]
            written = counted(sizes, numbers.short_bytes)
            return (
                written if written.text == numbers.UNKNOWN else Fact(written.text, self.tr("%s bytes") % written.exact)
            )

        first, several = reports[0], len(reports) > 1
        inputs = [report for report in first.input_shapes if report is not None]
        arriving = " + ".join(numbers.shape(shape) for shape in inputs) or numbers.UNKNOWN
        field = first.receptive_field
        many = Fact(numbers.UNKNOWN, self.tr("Several layers are selected"))
        source = self.tr("The network's images arrive from outside") if not first.input_shapes else unknown
        return {
            "input": many if several else Fact(arriving, arriving if inputs else source),
            "output": many
            if several
            else fact(first.output_shape, numbers.shape(first.output_shape), self.tr("Channels, height and width")),
            "parameters": counted([r.num_parameters for r in reports], numbers.short_count, totals.num_parameters),
            "buffers": counted([r.num_buffers for r in reports], numbers.short_count),
            "macs": counted([r.macs for r in reports], numbers.short_count, totals.macs),
            "bytes": in_bytes(1),
            "batch_bytes": in_bytes(self._batch_size),
            "field": many
            if several
            else fact(field, _size(field.size if field else None), self.tr("Input pixels that one output pixel sees")),
            "stride": many
            if several
            else fact(field, _size(field.stride if field else None), self.tr("Input pixels between two outputs")),
        }

    def _show_why(self, ids: tuple[str, ...], new: Snapshot) -> None:
        text = ""
        if len(ids) == 1 and new.inference.nodes[ids[0]].output_shape is None:
            culprit = culprit_of(ids[0], new)
            if culprit == ids[0]:
                text = self.tr("Not known until the issue above is repaired.")
            elif culprit is not None:
                colour = self._themes.theme.accent.name()
                link = f'<a href="{culprit}" style="color:{colour}">{culprit}</a>'
                text = self.tr("Not known: %s has an issue.") % link
        self.why.show_text(text)
        self.why.setVisible(bool(text))

    def _show_arithmetic(self, ids: tuple[str, ...], new: Snapshot) -> None:
        single = len(ids) == 1
        if single:
            upstream = tuple([new.inference.nodes[source] for source in new.architecture[ids[0]].inputs])
            lines = arithmetic(new.inference.nodes[ids[0]], upstream)
        else:
            lines = ()
        known = single and new.inference.nodes[ids[0]].output_shape is not None
        self.arithmetic.apply(lines)
        for widget in (self._arithmetic_title, self.arithmetic):
            widget.setVisible(known)

    def _redraw(self) -> None:
        picture = QIcon() if self._type is None else category_icon(self._type.category, self._themes.theme)
        self._picture.setPixmap(picture.pixmap(QSize(20, 20)))
        self._picture.setVisible(self._type is not None)


def culprit_of(node_id: str, snapshot: Snapshot) -> str | None:
    """The node whose error leaves this one unknown: itself, or the nearest before it; None if all is known."""
    seen, waiting = {node_id}, [node_id]
    while waiting:
        here = waiting.pop(0)
        if snapshot.inference.nodes[here].fault is not None:
            return here
        for source in snapshot.architecture[here].inputs:
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return None


def _why(node_id: str, snapshot: Snapshot, tr: Callable[[str], str]) -> str | None:
    culprit = culprit_of(node_id, snapshot)
    if culprit is None:
        return None
    return tr("the issue here comes first") if culprit == node_id else tr("%s has an issue") % culprit


def _size(size: tuple[int, int] | None) -> str:
    return numbers.pair(size) if size else numbers.UNKNOWN
