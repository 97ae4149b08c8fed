"""The totals in the bar over the canvas: parameters, multiply-accumulates, and memory of the device's."""

from typing import NamedTuple

from PySide6.QtCore import QEvent, QRect, QSize, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QFontMetrics, QGuiApplication, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from explorer.look import numbers, theme
from explorer.look.theme import ThemeSource
from explorer.panels.estimates import Estimates
from explorer.session import Document, Snapshot

_GAP = 2 * theme.GRID
_WIDEST = {
    "params": f"99.9{numbers.THIN_SPACE}M",
    "MACs": f"99.9{numbers.THIN_SPACE}M",
    "memory": f"99.9{numbers.THIN_SPACE}MB",
}


class Total(NamedTuple):
    """One total as text."""

    key: str
    now: str
    then: str
    """After the edit that is previewed; the same as `now` without one."""
    unit: str
    is_fault: bool
    """Whether it cannot be: shown in the colour of errors."""


class TotalsBar(QWidget):
    """Totals at the right of the room that there is; while an edit is previewed, old → new.

    Each has a place of its own that is wide enough for any three digits, so that none pushes another about.
    """

    def __init__(
        self, document: Document, estimates: Estimates, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._estimates = estimates
        self._themes = themes
        self._preview: Snapshot | None = None
        self._totals: tuple[Total, ...] = ()
        self.setFont(theme.body_font())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        document.changed.connect(self.apply)
        document.previewed.connect(self._show_preview)
        estimates.changed.connect(self._show)
        themes.changed.connect(self.update)

    def apply(self, old: Snapshot | None, new: Snapshot) -> None:
        """Show the totals of a snapshot."""
        self._preview = None
        self._show()

    @property
    def totals(self) -> tuple[Total, ...]:
        """What is shown, from the left."""
        return self._totals

    def text(self) -> str:
        """The totals as text, to be copied."""
        return " · ".join(f"{self._figure(total)} {total.unit}".rstrip() for total in self._totals)

    def _show_preview(self, preview: Snapshot | None) -> None:
        self._preview = preview
        self._show()

    def _show(self) -> None:
        if not self._document.is_open:
            self._totals = ()
            self.update()
            return
        now = self._document.snapshot
        then = self._preview or now
        self._totals = self._worked_out(now, then)
        self.setAccessibleName(self.text())
        self.update()

    def _worked_out(self, now: Snapshot, then: Snapshot) -> tuple[Total, ...]:
        before, after = now.inference.totals, then.inference.totals
        short, size = numbers.short_count, numbers.short_bytes
        device, fits = self._estimates.device, self._estimates.fits(then)
        memory = [self._estimates.memory(snapshot).training_bytes for snapshot in (now, then)]
        of_all = self.tr("for training") if device is None else self.tr("of %s") % size(device.total_bytes)
        totals = [
            Total("params", short(before.num_parameters), short(after.num_parameters), self.tr("params"), False),
            Total("MACs", short(before.macs), short(after.macs), self.tr("MACs"), False),
            Total("memory", size(memory[0]), size(memory[1]), of_all, fits is False),
        ]
        if not after.complete:
            totals.append(Total("fault", "", "", self.tr("up to the fault"), True))
        return tuple(totals)

    def tip(self) -> str:
        """Every digit, and under which conditions; worked out when it is asked for."""
        if not self._document.is_open:
            return ""
        now = self._document.snapshot
        totals, conditions, device = now.inference.totals, self._estimates.conditions, self._estimates.device
        count, size = numbers.exact_count, numbers.short_bytes
        found = self._estimates.memory(now)
        frozen = self.tr(", %s of them frozen") % count(totals.num_frozen) if totals.num_frozen else ""
        lines = [
            self.tr("%s parameters") % count(totals.num_parameters) + frozen,
            self.tr("%s multiply-accumulates for one image") % count(totals.macs),
            self.tr("%s floating point operations") % count(totals.flops),
            self.tr("%s to train with batches of %s (%s, %s)")
            % (
                size(found.training_bytes),
                count(conditions.batch_size),
                conditions.optimizer_name,
                conditions.precision,
            ),
            self.tr("%s to run without gradients") % size(found.inference_bytes),
        ]
        if device is None:
            lines.append(self.tr("The device is not known yet"))
        else:
            lines.append(
                self.tr("%s of %s are free on %s")
                % (size(device.available_bytes), size(device.total_bytes), device.name)
            )
            largest = self._estimates.largest_batch(now) or 0
            lines.append(
                self.tr("Largest batch that fits: %s") % count(largest)
                if largest
                else self.tr("Not even one image fits")
            )
        return "\n".join(lines)

    # Qt

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip(), self)
            return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        return QSize(self._width(self.fontMetrics(), arrows=False), 3 * theme.GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 3 * theme.GRID)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.addAction(self.tr("Copy")).triggered.connect(
            lambda: QGuiApplication.clipboard().setText(f"{self.text()}\n{self.tip()}")
        )
        menu.exec(event.globalPos())
        menu.deleteLater()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        metrics = self.fontMetrics()
        arrows = self._width(metrics, arrows=True) <= self.width()
        shown = list(self._totals)
        # Where there is no room for all, the memory, which may not fit, stays longest.
        while len(shown) > 1 and self._width(metrics, arrows=arrows, totals=shown) > self.width():
            shown.pop(0)
        right = self.width()
        for total in reversed(shown):
            right = self._draw_total(painter, metrics, total, right, arrows=arrows) - _GAP

    def _draw_total(self, painter: QPainter, metrics: QFontMetrics, total: Total, right: int, *, arrows: bool) -> int:
        shown = self._themes.theme
        fault, changed = total.is_fault, total.now != total.then
        left = right - self._total_width(metrics, total, arrows=arrows)
        right = self._draw(painter, total.unit, right, shown.error if fault else shown.muted)
        if total.now:
            colour = shown.error if fault else shown.accent if changed else shown.text
            painter.setFont(theme.body_font(bold=True))
            right = self._draw(painter, f"{total.then} ", right, colour)
            painter.setFont(self.font())
            if changed:
                self._draw(painter, f"{total.now if arrows else ''} {numbers.ARROW} ".lstrip(), right, shown.muted)
        return left

    def _draw(self, painter: QPainter, text: str, right: int, colour: QColor) -> int:
        width = painter.fontMetrics().horizontalAdvance(text)
        painter.setPen(colour)
        painter.drawText(QRect(right - width, 0, width, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
        return right - width

    def _width(self, metrics: QFontMetrics, *, arrows: bool, totals: list[Total] | None = None) -> int:
        shown = self._totals if totals is None else totals
        return sum(self._total_width(metrics, total, arrows=arrows) + _GAP for total in shown)

    def _total_width(self, metrics: QFontMetrics, total: Total, *, arrows: bool) -> int:
        width = metrics.horizontalAdvance(total.unit)
        if not total.now:
            return width
        bold = QFontMetrics(theme.body_font(bold=True))
        width += max(bold.horizontalAdvance(f"{text} ") for text in (total.then, _WIDEST.get(total.key, "")))
        if total.now != total.then:
            width += metrics.horizontalAdvance(f"{total.now if arrows else ''} {numbers.ARROW} ".lstrip())
        return width

    def _figure(self, total: Total) -> str:
        return total.now if total.now == total.then else f"{total.now} {numbers.ARROW} {total.then}"
