"""The memory of training and inference on the network page: its parts, whether it fits, the largest batch that does.

The model is `inference.memory`'s, the conditions are `estimates`'; the device is looked up by the app.
"""

from collections.abc import Sequence
from typing import get_args

from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QVBoxLayout,
    QWidget,
)

from explorer.inference.memory import Memory, memory_arithmetic
from explorer.inference.schedule import Precision
from explorer.layers import Arithmetic
from explorer.look import numbers
from explorer.look.labels import RoleLabel, section_label
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.estimates import Conditions, Estimates
from explorer.panels.inspector.facts import Fact, Facts
from explorer.panels.inspector.row import swatch_colour
from explorer.session import Snapshot

_PARTS = ("weights", "buffers", "optimizer", "gradients", "saved", "temporary")
_STRENGTHS = {"weights": 1.0, "buffers": 0.4, "optimizer": 0.82, "gradients": 0.66, "saved": 0.5, "temporary": 0.3}
_TRIED: tuple[tuple[str, float], ...] = (("sgd", 0.0), ("sgd", 0.9), ("adam", 0.0), ("adamw", 0.0), ("rmsprop", 0.0))
_BAR = GRID


class StackBar(QWidget):
    """Parts of a whole beside each other, in one hue."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._parts: list[tuple[str, int]] = []
        self._whole = 1
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    @property
    def parts(self) -> list[tuple[str, int]]:
        """What is drawn: key and amount."""
        return self._parts

    def apply(self, parts: Sequence[tuple[str, int]], whole: int) -> None:
        """Show these parts; all of them fill the bar where they add up to `whole`."""
        self._parts = [(key, amount) for key, amount in parts if amount]
        self._whole = max(1, whole)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(24 * GRID, _BAR)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.fillRect(self.rect(), self._themes.theme.grid)
        left = 0.0
        for key, amount in self._parts:
            width = amount / self._whole * self.width()
            painter.fillRect(
                QRectF(left, 0, max(0.5, width - 1), self.height()), swatch_colour(self._themes, _STRENGTHS[key])
            )
            left += width


class MemorySection(QWidget):
    """Training by its parts, inference, the conditions, and the device.

    Signals:
        batch_chosen(int): the user wants the largest batch that fits.
    """

    batch_chosen = Signal(int)

    def __init__(self, estimates: Estimates, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._estimates = estimates
        self._shown: Snapshot | None = None
        self.title = section_label(themes, "", self)
        self.precision = self._menu(self.tr("Precision"))
        self.precision.addItem("", None)
        for precision in get_args(Precision):
            self.precision.addItem(_precision_name(precision), precision)
        self.precision.activated.connect(self._choose_precision)
        self.optimizer = self._menu(self.tr("Optimizer"))
        self.optimizer.activated.connect(self._choose_optimizer)
        self.facts = Facts(
            themes,
            {
                "training": self.tr("Training"),
                "weights": self.tr("Weights"),
                "buffers": self.tr("Buffers"),
                "optimizer": self.tr("Optimizer state"),
                "gradients": self.tr("Gradients"),
                "saved": self.tr("Kept for backward"),
                "temporary": self.tr("Temporary"),
                "inference": self.tr("Inference"),
            },
            self,
            group_starts=("inference",),
        )
        for key in _PARTS:
            self.facts.row(key).set_swatch(_STRENGTHS[key])
        self.training_bar, self.inference_bar = StackBar(themes, self), StackBar(themes, self)
        self.facts.add_below("training", _indented(self.training_bar))
        self.facts.add_below("inference", _indented(self.inference_bar))
        self.verdict = RoleLabel(themes, font=body_font(), wraps=True, parent=self)
        self.verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.largest = QPushButton(self)
        self.largest.setFont(small_font())
        self.largest.setAutoDefault(False)
        self.largest.clicked.connect(self._take_largest)
        self._arrange()

    def apply(self, new: Snapshot, preview: Snapshot | None, *, pulse: bool) -> None:
        """Show the memory of `new`; what differs in `preview` as old → new."""
        self._shown = new
        conditions, estimates = self._estimates.conditions, self._estimates
        self.title.show_text(self.tr("Memory, batch of %s") % numbers.exact_count(conditions.batch_size))
        self._show_conditions(conditions)
        found = estimates.memory(new)
        after = None if preview is None else self._facts(preview)
        self.facts.apply(self._facts(new), after, pulse=pulse)
        self.training_bar.apply(found.peak_parts, found.training_bytes)
        standing = (("weights", found.weights_bytes), ("buffers", found.buffers_bytes))
        rest = found.inference_bytes - found.weights_bytes - found.buffers_bytes
        self.inference_bar.apply((*standing, ("temporary", rest)), max(found.training_bytes, found.inference_bytes))
        self._show_verdict(new, found)

    # What is shown

    def _arrange(self) -> None:
        choosers = QHBoxLayout()
        choosers.setSpacing(GRID // 2)
        choosers.addWidget(self.precision, 1)
        choosers.addWidget(self.optimizer, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addWidget(self.title)
        column.addLayout(choosers)
        column.addWidget(self.facts)
        column.addWidget(self.verdict)
        column.addWidget(self.largest, 0, Qt.AlignmentFlag.AlignLeft)

    def _facts(self, snapshot: Snapshot) -> dict[str, Fact]:
        found = self._estimates.memory(snapshot)

        def fact(key: str, amount: int, note: str = "") -> Fact:
            share = numbers.share(amount, found.training_bytes) if amount and key in _PARTS else ""
            exact = self.tr("%s bytes") % numbers.exact_count(amount)
            return Fact(
                numbers.short_bytes(amount),
                f"{exact}\n{note}" if note else exact,
                share,
                lambda: self._lines(key, snapshot),
            )

        parts = dict(found.peak_parts)
        return {
            "training": fact("training", found.training_bytes, self._peak_text(found)),
            **{key: fact(key, parts[key], self._note(key, found)) for key in _PARTS},
            "inference": fact("inference", found.inference_bytes),
        }

    def _lines(self, key: str, snapshot: Snapshot) -> list[Arithmetic]:
        found, conditions = self._estimates.memory(snapshot), self._estimates.conditions
        lines = memory_arithmetic(
            found,
            batch_size=conditions.batch_size,
            optimizer=conditions.optimizer,
            momentum=conditions.momentum,
            precision=conditions.precision,
        )
        beginning = {"optimizer": "optimizer", "saved": "kept"}.get(key, key)
        return [line for line in lines if line.what.startswith(beginning)] + self._at_peak(key, found)

    def _at_peak(self, key: str, found: Memory) -> list[Arithmetic]:
        """What a part comes to at the peak, where that is not all there ever is of it."""
        source = self._peak_text(found)
        if key == "gradients" and found.peak_gradient_bytes != found.gradient_bytes:
            return [
                _difference(self.tr("gradients at the peak"), found.gradient_bytes, found.peak_gradient_bytes, source)
            ]
        if key == "saved" and found.peak_saved_bytes != found.saved_bytes:
            return [_difference(self.tr("kept at the peak"), found.saved_bytes, found.peak_saved_bytes, source)]
        if key == "temporary":
            named = [amount for part, amount in found.peak_parts if part != "temporary"]
            return [
                Arithmetic(
                    self.tr("temporary"),
                    self.tr("training − what is named above"),
                    " − ".join(numbers.exact_count(amount) for amount in (found.training_bytes, *named)),
                    found.temporary_bytes,
                    source,
                )
            ]
        return []

    def _peak_text(self, found: Memory) -> str:
        moment = {
            "forward": self.tr("in the forward pass"),
            "backward": self.tr("in the backward pass"),
            "loss": self.tr("in the loss"),
        }[found.peak_when]
        return self.tr("The peak, %s") % (f"{moment}: {found.peak_node}" if found.peak_node else moment)

    def _note(self, key: str, found: Memory) -> str:
        if key == "gradients" and found.peak_gradient_bytes != found.gradient_bytes:
            return self.tr("At the peak; %s when all exist") % numbers.short_bytes(found.gradient_bytes)
        if key == "saved" and found.peak_saved_bytes != found.saved_bytes:
            return self.tr("At the peak; %s after the forward pass") % numbers.short_bytes(found.saved_bytes)
        if key == "temporary":
            return self.tr("Images, outputs that are still read, and gradients on their way")
        return ""

    def _show_conditions(self, conditions: Conditions) -> None:
        estimates = self._estimates
        with QSignalBlocker(self.precision):
            in_training = _precision_name(estimates.in_training.precision)
            self.precision.setItemText(0, self.tr("As in training: %s") % in_training)
            tried = estimates.tried_precision
            self.precision.setCurrentIndex(0 if tried is None else self.precision.findData(tried))
            self.precision.show_short(in_training if tried is None else None)
        trained = estimates.in_training.optimizer_name
        own = self.tr("As in training: %s") % trained
        if self.optimizer.count() == 0:
            self.optimizer.addItem(own, None)
            for optimizer, momentum in _TRIED:
                self.optimizer.addItem(conditions._replace(optimizer=optimizer, momentum=momentum).optimizer_name)
        if self.optimizer.itemText(0) != own:
            self.optimizer.setItemText(0, own)
        with QSignalBlocker(self.optimizer):
            self.optimizer.setCurrentIndex(0 if estimates.trial is None else _TRIED.index(estimates.trial) + 1)
        self.optimizer.show_short(trained if estimates.trial is None else None)
        self.optimizer.setToolTip(
            self.tr("The training form's optimizer; another can be tried here")
            if estimates.trial is None
            else self.tr("Tried here; training uses %s") % trained
        )

    def _show_verdict(self, new: Snapshot, found: Memory) -> None:
        device, fits = self._estimates.device, self._estimates.fits(new)
        if device is None or fits is None:
            self.verdict.set_role("muted")
            self.verdict.show_text(self.tr("The device is not known yet."))
            self.largest.setVisible(False)
            return
        total, free = numbers.short_bytes(device.total_bytes), numbers.short_bytes(device.available_bytes)
        there = self.tr("%s of %s are free on %s.") % (free, total, device.name)
        if fits:
            self.verdict.set_role("text")
            self.verdict.show_text(self.tr("It fits: %s") % there)
        else:
            self.verdict.set_role("error")
            self.verdict.show_text(self.tr("It does not fit: %s") % there)
        largest = self._estimates.largest_batch(new) or 0
        if largest:
            most = largest == self._estimates.most_images
            text = self.tr("Any batch up to %s fits") if most else self.tr("Largest batch that fits: %s")
            self.largest.setText(text % numbers.exact_count(largest))
            self.largest.setToolTip(self.tr("Click to train with batches of %s") % numbers.exact_count(largest))
        else:
            self.largest.setText(self.tr("Not even one image fits"))
            self.largest.setToolTip("")
        self.largest.setEnabled(0 < largest != self._estimates.conditions.batch_size)
        self.largest.setVisible(found.complete)

    # What the user chooses

    def _choose_precision(self, position: int) -> None:
        self._estimates.set_precision(self.precision.itemData(position))

    def _choose_optimizer(self, position: int) -> None:
        self._estimates.try_optimizer(_TRIED[position - 1] if position else None)

    def _take_largest(self) -> None:
        largest = self._estimates.largest_batch(self._shown) if self._shown is not None else None
        if largest:
            self.batch_chosen.emit(largest)

    def _menu(self, name: str) -> "_CalmMenu":
        menu = _CalmMenu(self)
        menu.setFont(small_font())
        menu.setAccessibleName(name)
        menu.setToolTip(name)
        menu.setMinimumWidth(8 * GRID)
        menu.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        return menu


class _CalmMenu(QComboBox):
    """A wheel that scrolls the panel does not change it; folded, it says in short what its list explains."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._short: str | None = None

    def show_short(self, text: str | None) -> None:
        """Write this in place of the chosen line; None writes the line."""
        if text != self._short:
            self._short = text
            self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        style = self.style()
        field = style.subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        text = self._short or self.currentText()
        option.currentText = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, field.width() - 2)
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


def _difference(what: str, all_bytes: int, at_peak: int, source: str) -> Arithmetic:
    values = f"{numbers.exact_count(all_bytes)} − {numbers.exact_count(all_bytes - at_peak)}"
    return Arithmetic(what, "all of it − what is not there at that moment", values, at_peak, source)


def _precision_name(precision: Precision) -> str:
    return {"float32": "float32", "mixed": "mixed (autocast)", "bfloat16": "bfloat16"}[precision]


def _indented(widget: QWidget) -> QWidget:
    frame = QWidget()
    row = QHBoxLayout(frame)
    row.setContentsMargins(2 * GRID, 2, GRID // 2, GRID // 2)
    row.addWidget(widget)
    return frame
