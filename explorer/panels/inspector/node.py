"""The inspector's page for selected nodes: name, form, issues and figures. Selection and edits are the inspector's."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from explorer.inference import NodeReport
from explorer.layers import Layer
from explorer.look import numbers
from explorer.look.check_box import CheckBox
from explorer.look.icons import category_icon
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.segments import Toggle
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.estimates import Estimates
from explorer.panels.help.text import type_tooltip
from explorer.panels.inspector.block import BlockReader
from explorer.panels.inspector.facts import Facts
from explorer.panels.inspector.figures import NodeFigures, culprit_of, figure_names
from explorer.panels.inspector.form import Form
from explorer.panels.inspector.heading import FactsHeading
from explorer.panels.inspector.name import NameField
from explorer.panels.inspector.size import SizeSolver, can_solve
from explorer.panels.issues.panel import IssueCards
from explorer.session import Document, Snapshot
from explorer.session.places import settings

_SOLVER_OPEN = "inspector/solver"


class NodePage(QWidget):
    """One node, or several together.

    Signals:
        edited(str, object): the user chose this value for the hyper-parameter of that name.
        frozen_chosen(bool): whether training shall leave the nodes' parameters as they are.
        left(): the focus left an editor.
        previewed(str, object): the user points at this value, or drags to it.
        preview_ended(): and no longer.
        renamed(str): the user entered another id.
        source_asked(str): the user wants to see the node whose issue leaves this one unknown.
    """

    edited = Signal(str, object)
    frozen_chosen = Signal(bool)
    left = Signal()
    previewed = Signal(str, object)
    preview_ended = Signal()
    renamed = Signal(str)
    source_asked = Signal(str)

    def __init__(
        self, document: Document, estimates: Estimates, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._themes = themes
        self._estimates = estimates
        self._ids: tuple[str, ...] = ()
        self._shown: Snapshot | None = None
        self._type: type[Layer] | None = None
        self._forms: dict[type[Layer], Form] = {}
        self._picture = QLabel(self)
        self.name = NameField(themes, self)
        self.name.committed.connect(self.renamed)
        self.name.reverted.connect(lambda: self.refuse(""))
        self._title = ElidedLabel(themes, font=self.name.font(), parent=self)
        self._type_name = ElidedLabel(themes, role="muted", font=body_font(), parent=self)
        self.refusal = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=self)
        self.summary = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        self._blocks = BlockReader(self.tr)
        self.likeness = RoleLabel(themes, font=body_font(), wraps=True, parent=self)
        self.no_form = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        self.issues = IssueCards(document, themes, shows_node=False, parent=self)
        self.frozen = CheckBox(self.tr("Frozen"), self)
        self.frozen.setToolTip(self.tr("Training leaves the weights as they are."))
        self.frozen.clicked.connect(self._choose_frozen)
        self.facts = Facts(themes, figure_names(self.tr), self, group_starts=("parameters", "macs", "bytes", "field"))
        self.heading = FactsHeading(self.facts, themes, self.tr("Figures"), self)
        self.solver = SizeSolver(document, themes, self)
        self.solver_button = self._make_solver_button()
        self.why = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        self.why.setTextFormat(Qt.TextFormat.RichText)
        self.why.linkActivated.connect(self.source_asked)
        self._arrange()
        themes.changed.connect(self._redraw)

    @property
    def form(self) -> Form | None:
        """The form that is shown; None where layers of several types are selected."""
        return None if self._type is None else self._forms.get(self._type)

    def apply(self, ids: tuple[str, ...], new: Snapshot, preview: Snapshot | None) -> None:
        """Show these nodes of `new`; what differs in `preview` as old → new."""
        restart = ids != self._ids
        self._ids = ids
        self._shown = new
        reports = [new.inference.nodes[node_id] for node_id in ids]
        types = {type(report.layer) for report in reports}
        self._show_type(types.pop() if len(types) == 1 else None, reports)
        if restart:
            self.refuse("")
        self._show_head(ids, new, reports)
        if self._type is not None:
            self._forms[self._type].show_reports(reports, restart=restart)
        self.issues.apply([issue for report in reports for issue in report.issues] if len(ids) == 1 else ())
        self._show_frozen(reports)
        batch_size = self._estimates.conditions.batch_size
        self.facts.set_name("batch_bytes", self.tr("Output, %s images") % numbers.exact_count(batch_size))
        after = preview if preview is not None and all(i in preview.architecture for i in ids) else None
        self.facts.apply(
            NodeFigures(ids, new, self._estimates, self.tr).facts(),
            None if after is None else NodeFigures(ids, after, self._estimates, self.tr).facts(),
            pulse=not restart,
        )
        self._show_why(ids, new)
        self._show_solver(ids, reports)

    def refuse(self, why: str) -> None:
        """Say under the name why it cannot be."""
        self.refusal.show_text(why)
        self.refusal.setVisible(bool(why))
        self.name.set_refused(bool(why))

    # What is shown

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
        self._column.addWidget(self.likeness)
        self._column.addWidget(self.summary)
        self._column.addWidget(self.no_form)
        self._form_place = self._column.count()
        self._column.addWidget(self.frozen)
        self._column.addWidget(self.issues)
        self._column.addSpacing(GRID)
        self._column.addWidget(self.heading)
        self._column.addWidget(self.facts)
        self._column.addWidget(self.why)
        self._column.addStretch(1)
        self.facts.add_below("output", self.solver)
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
                form.previewed.connect(self.previewed)
                form.preview_ended.connect(self.preview_ended)
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

    def _show_head(self, ids: tuple[str, ...], new: Snapshot, reports: Sequence[NodeReport]) -> None:
        single = len(ids) == 1
        block = self._blocks.read(new.architecture, ids)
        self.name.setVisible(single)
        self._title.setVisible(not single)
        if single:
            self.name.show_name(ids[0])
            self.name.setToolTip(self.tr("The id, and the prefix of the weights in the state_dict. Click to rename."))
            self._type_name.show_text(reports[0].layer.type_name)
            self.summary.show_text(reports[0].layer.summary)
            self.summary.setToolTip(type_tooltip(type(reports[0].layer)))
            self._picture.setToolTip(self.summary.toolTip())
        else:
            layers = self.tr("layers") if self._type is None else self._type.__name__
            self._title.show_text(self.tr("%d %s") % (len(ids), layers) if block is None else block.path)
            self._type_name.show_text(", ".join(ids) if block is None else block.kind)
            self.summary.show_text(
                "" if self._type is None else self.tr("An edit sets the value of all of them, in one step.")
            )
            self.summary.setToolTip("")
            self._picture.setToolTip("" if self._type is None else type_tooltip(self._type))
        if block is not None and self._type is None:
            # Of a block its facts are looked for, not how else one might have selected.
            self.no_form.hide()
        self.likeness.show_text("" if block is None else block.likeness)
        self.likeness.set_role("warning" if block is not None and block.is_odd else "muted")
        self.likeness.setVisible(bool(self.likeness.text()))
        self.summary.setVisible(bool(self.summary.text()))

    def _show_frozen(self, reports: Sequence[NodeReport]) -> None:
        states = {report.context.frozen for report in reports if report.num_parameters}
        self.frozen.setVisible(bool(states))
        self.frozen.setTristate(len(states) > 1)
        if len(states) > 1:
            self.frozen.setCheckState(Qt.CheckState.PartiallyChecked)
        else:
            self.frozen.setChecked(True in states)

    def _choose_frozen(self) -> None:
        # From "some are" a click freezes all; the next one lets all be trained.
        self.frozen_chosen.emit(self.frozen.checkState() is not Qt.CheckState.Unchecked)

    def _make_solver_button(self) -> Toggle:
        button = Toggle(self._themes, self, is_small=True)
        button.setText(self.tr("Set size"))
        button.setFixedHeight(2 * GRID + GRID // 2)
        button.setToolTip(self.tr("Which values make the output a wanted size"))
        button.setChecked(settings().value(_SOLVER_OPEN, "false") == "true")
        button.clicked.connect(self._toggle_solver)
        self.facts.row("output").set_extra(button)
        for before, after in pairwise((self.facts.rows[-1], button, self.solver.height_box, self.solver.width_box)):
            QWidget.setTabOrder(before, after)
        return button

    def _toggle_solver(self, opened: bool) -> None:
        settings().setValue(_SOLVER_OPEN, "true" if opened else "false")
        self.solver.setVisible(opened)
        if opened and self._shown is not None:
            self._show_solver(self._ids, [self._shown.inference.nodes[node_id] for node_id in self._ids])
            self.solver.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_solver(self, ids: tuple[str, ...], reports: Sequence[NodeReport]) -> None:
        offered = len(ids) == 1 and can_solve(reports[0])
        self.solver_button.setVisible(offered)
        opened = offered and self.solver_button.isChecked()
        if opened:
            self.solver.apply(ids[0], reports[0])
        self.solver.setVisible(opened)

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

    def _redraw(self) -> None:
        picture = QIcon() if self._type is None else category_icon(self._type.category, self._themes.theme)
        self._picture.setPixmap(picture.pixmap(QSize(20, 20)))
        self._picture.setVisible(self._type is not None)
