"""Beside the window: the values that shape it, edited as in the inspector, and the output's size written out."""

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from explorer.architecture import edits
from explorer.layers import Arithmetic, Layer
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.look.values import written
from explorer.panels.arithmetic import ArithmeticView
from explorer.panels.inspector.form import Form
from explorer.panels.inspector.panel import GESTURE_PAUSE_MS
from explorer.panels.inspector.working import node_lines
from explorer.panels.scroll_body import ScrollBody
from explorer.session import Document, Snapshot

_NAMES = (
    "kernel_size",
    "stride",
    "padding",
    "dilation",
    "groups",
    "padding_mode",
    "output_size",
    "output_padding",
    "ceil_mode",
    "count_include_pad",
    "norm_type",
    "out_channels",
    "out_features",
    "bias",
)
"""What changes the window first, then what changes the rest."""
_SIZES = ("output height and width", "output height", "output width")
WIDTH = 32 * GRID


class LayerSteppers(QScrollArea):
    """The values of one layer. Every edit is a step of the document's history; a row of quick ones is one step."""

    def __init__(self, document: Document, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._themes = themes
        self._node_id: str | None = None
        self._forms: dict[type[Layer], Form] = {}
        self.form: Form | None = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(WIDTH)
        body = ScrollBody()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(GRID, 0, GRID, 0)
        self._column.setSpacing(GRID)
        self.fault = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=body)
        self.size_lines = ArithmeticView(themes, body)
        self._column.addWidget(self.fault)
        self._column.addWidget(self.size_lines)
        self._column.addStretch(1)
        self.setWidget(body)
        self._gesture = QTimer(self, singleShot=True, interval=GESTURE_PAUSE_MS)
        self._gesture.timeout.connect(document.finish_merge)

    def show_node(self, node_id: str) -> None:
        """Show a node's values as the document has them."""
        snapshot = self._document.snapshot
        report = snapshot.inference.nodes[node_id]
        restart = node_id != self._node_id
        if restart:
            self.finish_gesture()
        self._node_id = node_id
        form = self._forms.get(type(report.layer)) or self._make_form(type(report.layer))
        if form is not self.form:
            if self.form is not None:
                self.form.hide()
            self.form = form
            form.show()
        form.show_reports([report], restart=restart)
        errors = [issue.message for issue in report.issues if issue.severity == "error"]
        self.fault.show_text(errors[0] if errors else "")
        self.fault.setVisible(bool(errors))
        lines = size_lines(node_id, snapshot)
        self.size_lines.apply(lines)
        self.size_lines.setVisible(bool(lines))

    def finish_gesture(self) -> None:
        """The next edit is a step of its own."""
        if self._gesture.isActive():
            self._gesture.stop()
            self._document.finish_merge()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 24 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(WIDTH, 10 * GRID)

    def _make_form(self, layer_type: type[Layer]) -> Form:
        form = Form(layer_type, self._themes, self.widget(), names=_NAMES)
        form.edited.connect(self._edit)
        form.left.connect(self.finish_gesture)
        form.previewed.connect(self._preview)
        form.preview_ended.connect(lambda: self._document.preview(None))
        self._column.insertWidget(0, form)
        self._forms[layer_type] = form
        return form

    def _edit(self, name: str, value: object) -> None:
        assert self._node_id is not None
        assert self.form is not None
        try:
            new = edits.set_value(self._document.architecture, self._node_id, name, value)
        except ValueError as error:
            self.form.editors[name].refuse(str(error))
            return
        shown = written(self.form.editors[name].parameter.kind, value)
        text = self.tr("Set %s %s to %s") % (self._node_id, name, shown)
        self._document.apply(text, new, merge=f"{self._node_id}.{name}")
        self._gesture.start()

    def _preview(self, name: str, value: object) -> None:
        node_id = self._node_id
        assert node_id is not None
        try:
            self._document.preview(lambda architecture: edits.set_value(architecture, node_id, name, value))
        except ValueError:
            self._document.preview(None)


def size_lines(node_id: str, snapshot: Snapshot) -> list[Arithmetic]:
    """How a node's output height and width come about; nothing where it has no output."""
    if snapshot.inference.nodes[node_id].output_shape is None:
        return []
    lines = node_lines(node_id, snapshot).get("output", [])
    # The size of adaptive pooling is what was asked for.
    return [line for line in lines if line.what in _SIZES and line.formula != "output_size"]
