"""The bar over the canvas: the network's name, its input size, the batch, and the totals that follow."""

from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSpinBox, QWidget

from explorer.architecture import edits
from explorer.layers import Input
from explorer.look import numbers, theme
from explorer.look.theme import Theme, ThemeSource
from explorer.look.undo import leave_undo_to_window
from explorer.session import Document, Snapshot

_GESTURE_IDLE_MS = 600


class InputEditor(QWidget):
    """Channels × height × width of the images, each a spin box; a row of edits becomes one undo step."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._boxes: dict[str, QSpinBox] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID // 2)
        for parameter in Input.hyper_parameters:
            if self._boxes:
                row.addWidget(QLabel("×"))
            box = QSpinBox()
            box.setRange(int(parameter.minimum or 1), int(parameter.maximum or 1))
            box.setKeyboardTracking(False)
            box.setAlignment(Qt.AlignmentFlag.AlignRight)
            box.setToolTip(parameter.help)
            leave_undo_to_window(box)
            box.setAccessibleName(parameter.name)
            box.valueChanged.connect(partial(self._edit, parameter.name))
            self._boxes[parameter.name] = box
            row.addWidget(box)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(_GESTURE_IDLE_MS)
        self._idle.timeout.connect(document.finish_merge)
        document.changed.connect(self.apply)

    def apply(self, old: Snapshot | None, new: Snapshot) -> None:
        """Show the input's size."""
        values = new.architecture.input.layer.values()
        for name, box in self._boxes.items():
            if box.value() != values[name]:
                with QSignalBlocker(box):
                    box.setValue(int(str(values[name])))

    def _edit(self, name: str, value: int) -> None:
        node_id = self._document.architecture.input.id
        text = self.tr("Set input {0} to {1}").format(name, value)
        self._document.edit(
            text, partial(edits.set_value, node_id=node_id, name=name, value=value), merge=f"{node_id}.{name}"
        )
        self._idle.start()


class TotalsLabel(QLabel):
    """Parameters, multiply-accumulates and activation memory; while an edit is previewed, old → new."""

    def __init__(self, document: Document, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._themes = themes
        self._preview: Snapshot | None = None
        self._batch_size = 1
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setFont(theme.body_font())
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        document.changed.connect(self.apply)
        document.previewed.connect(self._show_preview)
        themes.changed.connect(lambda _theme: self._draw())

    def set_batch_size(self, batch_size: int) -> None:
        """Count activation memory for this many images."""
        self._batch_size = batch_size
        self._draw()

    def apply(self, old: Snapshot | None, new: Snapshot) -> None:
        """Show the totals of a snapshot."""
        self._preview = None
        self._draw()

    def _show_preview(self, preview: Snapshot | None) -> None:
        self._preview = preview
        self._draw()

    def _draw(self) -> None:
        if not self._document.is_open:
            self.setText("")
            return
        now = self._document.snapshot.inference.totals
        then = self._preview.inference.totals if self._preview is not None else now
        shown = self._themes.theme
        batch = self._batch_size
        parts = [
            self._part(numbers.short_count(now.num_parameters), numbers.short_count(then.num_parameters), "params"),
            self._part(numbers.short_count(now.macs), numbers.short_count(then.macs), "MACs"),
            self._part(
                numbers.short_bytes(now.output_bytes * batch),
                numbers.short_bytes(then.output_bytes * batch),
                self.tr("activations"),
            ),
        ]
        if not then.complete:
            parts.append(f'<span style="color:{shown.error.name()}">{self.tr("up to the fault")}</span>')
        self.setText(f'<span style="color:{shown.muted.name()}">&nbsp;·&nbsp;</span>'.join(parts))
        self.setToolTip(
            self.tr(
                "{0} parameters\n{1} multiply-accumulates for one image\n{2} of layer outputs for {3} images"
            ).format(
                numbers.exact_count(now.num_parameters),
                numbers.exact_count(now.macs),
                numbers.short_bytes(now.output_bytes * batch),
                batch,
            )
        )

    def _part(self, now: str, then: str, unit: str) -> str:
        shown: Theme = self._themes.theme
        value = f"<b>{now}</b>"
        if then != now:
            value = f'{now} {numbers.ARROW} <b style="color:{shown.accent.name()}">{then}</b>'
        return f'{value} <span style="color:{shown.muted.name()}">{unit}</span>'


class BatchEditor(QSpinBox):
    """The batch size, which training and activation memory share.

    Signals:
        chosen(int): the user set another.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(1, 65_536)
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setToolTip(self.tr("Images in a batch"))
        self.setAccessibleName("batch_size")
        leave_undo_to_window(self)
        self.valueChanged.connect(self.chosen)

    def show_value(self, batch_size: int) -> None:
        """Show a value without reporting it as chosen."""
        with QSignalBlocker(self):
            self.setValue(batch_size)
