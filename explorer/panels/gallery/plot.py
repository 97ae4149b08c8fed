"""The catalogue as a plot: published ImageNet accuracy against arithmetic, each point as large as its parameters.

Where points and names lie is `plot_scale`'s to say; which networks are in sight, the gallery's.
"""

import csv
import io
from collections.abc import Iterable, Mapping

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QFontMetricsF,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QMenu, QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.gallery.plot_scale import Scale, Spot
from explorer.panels.gallery.search import Facts
from explorer.zoo import Entry

_SIZES_SHOWN = (5e6, 50e6, 140e6)
"""Parameters of the points that the legend explains sizes with."""


class GalleryPlot(QWidget):
    """Points to choose from: pointed at or reached by arrow keys, one says its name and numbers; a click opens it.

    Left and Right go by arithmetic, Up and Down by accuracy, Home and End to the least and the most accurate; Enter
    opens, O asks for options, and any other letter is meant for the search.

    Signals:
        network_chosen(str): id of the network to open.
        options_requested(str): id of the network whose parameters are to be chosen before.
        typed(str): the user types, so means the search.
        left(): Shift+Tab's direction by arrow: Up from the most accurate.
    """

    network_chosen = Signal(str)
    options_requested = Signal(str)
    typed = Signal(str)
    left = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._spots: dict[str, Spot] = {}
        self._shown: frozenset[str] = frozenset()
        self._num_unknown = 0
        self._current: str | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Accuracy on ImageNet against multiply-accumulates and parameters"))
        themes.changed.connect(self.update)

    @property
    def current(self) -> str | None:
        """The id of the network that is pointed at, or reached by the keyboard."""
        return self._current

    @property
    def shown(self) -> tuple[str, ...]:
        """Ids of the networks that can be chosen, from the least to the most arithmetic."""
        spots = sorted((self._spots[i] for i in self._shown), key=lambda spot: spot.facts.macs)
        return tuple(spot.entry.id for spot in spots)

    def show_networks(self, entries: Iterable[Entry], facts: Mapping[str, Facts]) -> None:
        """Draw these networks, as far as they have been counted and an accuracy is published; all are in sight."""
        known = [entry for entry in entries if entry.id in facts]
        self._spots = {
            entry.id: Spot(entry, facts[entry.id], entry.pretrained.top1)
            for entry in known
            if entry.pretrained is not None
        }
        self.filter(self._spots)

    def filter(self, network_ids: Iterable[str]) -> None:
        """Leave these in sight; of the others a trace."""
        wanted = set(network_ids)
        self._shown = frozenset(self._spots.keys() & wanted)
        self._num_unknown = len(wanted - self._spots.keys())
        if self._current not in self._shown:
            self._set_current(None)
        self.update()

    def point_of(self, network_id: str) -> QPoint:
        """Where a network's point is, in the widget's pixels."""
        return self._scale().place(self._spots[network_id]).toPoint()

    def to_csv(self) -> str:
        """The numbers of what is in sight, as a table."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["network", "year", "parameters", "macs", "top1_percent", "source"])
        for network_id in self.shown:
            entry, facts, top1 = self._spots[network_id]
            rows.writerow([network_id, entry.year, facts.num_parameters, facts.macs, top1, _source(entry)])
        return text.getvalue()

    def menu(self) -> QMenu:
        """What can be done with the network pointed at, and with the plot."""
        menu = QMenu(self)
        if self._current is not None:
            spot = self._spots[self._current]
            title = spot.entry.title
            menu.setDefaultAction(menu.addAction(self.tr("Open {}").format(title), self._open))
            if spot.entry.parameters:
                menu.addAction(self.tr("Options…") + "\tO", self._ask_options)
            menu.addSeparator()
        menu.addAction(self.tr("Copy picture"), lambda: QGuiApplication.clipboard().setPixmap(self.grab()))
        menu.addAction(self.tr("Copy numbers as CSV"), lambda: QGuiApplication.clipboard().setText(self.to_csv()))
        return menu

    def sizeHint(self) -> QSize:
        return QSize(100 * GRID, 60 * GRID)

    # Pointer and keys

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(event.position())

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if not self.hasFocus():
            self._set_current(None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._point_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and self._current is not None:
            self._open()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            self._point_at(QPointF(event.pos()))
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
        if event.key() in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            self._step(list(self.shown), 1 if event.key() == Qt.Key.Key_Right else -1)
        elif event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End}:
            self._step_by_accuracy(Qt.Key(event.key()))
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and self._current is not None:
            self._open()
        elif plain and event.key() == Qt.Key.Key_O and self._current is not None:
            self._ask_options()
        elif plain and event.text().isprintable() and event.text().strip():
            self.typed.emit(event.text())
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        by_accuracy = self._by_accuracy()
        if self._current is None and by_accuracy and event.reason() != Qt.FocusReason.MouseFocusReason:
            self._set_current(by_accuracy[-1])
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if not self.underMouse():
            self._set_current(None)
        self.update()

    def _by_accuracy(self) -> list[str]:
        return sorted(self._shown, key=lambda network_id: (self._spots[network_id].top1, network_id))

    def _step_by_accuracy(self, key: Qt.Key) -> None:
        order = self._by_accuracy()
        if not order:
            return
        if key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            self._set_current(order[0 if key == Qt.Key.Key_Home else -1])
        elif key == Qt.Key.Key_Up and self._current == order[-1]:
            self.left.emit()
        else:
            self._step(order, 1 if key == Qt.Key.Key_Up else -1)

    def _step(self, order: list[str], by: int) -> None:
        if not order:
            return
        if self._current is None:
            self._set_current(order[0 if by > 0 else -1])
        else:
            place = order.index(self._current) + by
            self._set_current(order[min(max(place, 0), len(order) - 1)])

    def _point_at(self, position: QPointF) -> None:
        spot = self._scale().spot_at(position, (self._spots[i] for i in self._shown))
        if spot is not None or not self.hasFocus():
            self._set_current(None if spot is None else spot.entry.id)
        self.setCursor(Qt.CursorShape.ArrowCursor if spot is None else Qt.CursorShape.PointingHandCursor)

    def _set_current(self, network_id: str | None) -> None:
        if network_id != self._current:
            self._current = network_id
            self.setAccessibleDescription("" if network_id is None else "\n".join(self._said(self._spots[network_id])))
            self.update()

    def _open(self) -> None:
        if self._current is not None:
            self.network_chosen.emit(self._current)

    def _ask_options(self) -> None:
        if self._current is not None and self._spots[self._current].entry.parameters:
            self.options_requested.emit(self._current)

    # Painting

    def _scale(self) -> Scale:
        area = QRectF(self.contentsRect()).adjusted(7 * GRID, 4 * GRID, -2 * GRID, -10 * GRID)
        return Scale(list(self._spots.values()), area)

    def _said(self, spot: Spot) -> tuple[str, str, str]:
        return (
            f"{spot.entry.title} · {spot.entry.year}",
            self.tr("{top1} % top-1 · {parameters} parameters · {macs} MACs").format(
                top1=f"{spot.top1:.2f}",
                parameters=numbers.short_count(spot.facts.num_parameters),
                macs=numbers.short_count(spot.facts.macs),
            ),
            _source(spot.entry),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scale = self._scale()
        self._paint_axes(painter, scale)
        self._paint_sizes(painter, scale)
        # Large points first: a small one on a large one is seen and can be pointed at.
        for spot in sorted(self._spots.values(), key=lambda spot: -spot.facts.num_parameters):
            self._paint_spot(painter, scale, spot)
        self._paint_names(painter, scale)
        if self._current is not None:
            self._paint_slip(painter, scale, self._spots[self._current])

    def _paint_axes(self, painter: QPainter, scale: Scale) -> None:
        theme, area = self._themes.theme, scale.area
        painter.setFont(small_font())
        line = QFontMetricsF(painter.font()).height()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for top1 in scale.top1_ticks():
            y = scale.y(top1)
            painter.setPen(QPen(theme.grid, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.muted)
            painter.drawText(QRectF(area.left() - 7 * GRID, y - line / 2, 6 * GRID, line), int(right), f"{top1} %")
        for macs in scale.macs_ticks():
            x = scale.x(macs)
            painter.setPen(QPen(theme.grid, 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(theme.muted)
            box = QRectF(x - 5 * GRID, area.bottom() + GRID / 2, 10 * GRID, line)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignHCenter), _round_count(macs))
        painter.setPen(theme.text)
        painter.drawText(
            QPointF(area.left() - 7 * GRID, area.top() - GRID - 4), self.tr("Top-1 accuracy on ImageNet-1K")
        )
        under = area.bottom() + GRID + line
        painter.drawText(
            QRectF(area.left(), under, area.width(), line), int(right), self.tr("Multiply-accumulates an image")
        )
        painter.setPen(theme.muted)
        notes = [self.tr("Accuracy: validation set, one crop, as torchvision publishes it with its weights.")]
        if self._num_unknown:
            notes.append(self.tr("For {count} more networks, none is published.").format(count=self._num_unknown))
        if not self._shown:
            notes = [self.tr("No network in sight has a published accuracy. The cards show all.")]
        box = QRectF(area.left(), under + 2 * GRID + line / 2, area.width(), line)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft), " ".join(notes))

    def _paint_sizes(self, painter: QPainter, scale: Scale) -> None:
        """The legend of the areas, where nothing lies: much arithmetic, little accuracy."""
        theme, area = self._themes.theme, scale.area
        painter.setFont(small_font())
        x, bottom = area.right() - 2 * GRID, area.bottom() - 3 * GRID
        line = QFontMetricsF(painter.font()).height()
        for num_parameters in reversed(_SIZES_SHOWN):
            radius = scale.radius(num_parameters)
            box_width = max(2 * radius, 6.0 * GRID)
            centre = QPointF(x - box_width / 2, bottom - line - radius)
            painter.setPen(QPen(theme.muted, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, radius, radius)
            box = QRectF(x - box_width, bottom - line + 2, box_width, line)
            text = _round_count(num_parameters)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignHCenter), text)
            x -= box_width
        box = QRectF(area.right() - 30 * GRID, bottom + 4, 28 * GRID, line)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignRight), self.tr("area: parameters"))

    def _paint_spot(self, painter: QPainter, scale: Scale, spot: Spot) -> None:
        theme = self._themes.theme
        is_shown, is_current = spot.entry.id in self._shown, spot.entry.id == self._current
        fill = QColor(theme.accent if is_shown else theme.muted)
        fill.setAlpha(150 if is_current else 60 if is_shown else 20)
        edge = QColor(theme.accent if is_shown else theme.border)
        painter.setBrush(fill)
        painter.setPen(QPen(theme.text if is_current else edge, 2.0 if is_current else 1.0))
        radius = scale.radius(spot.facts.num_parameters)
        painter.drawEllipse(scale.place(spot), radius, radius)

    def _paint_names(self, painter: QPainter, scale: Scale) -> None:
        painter.setFont(small_font())
        painter.setPen(self._themes.theme.text)
        metrics = QFontMetricsF(painter.font())
        spots = [self._spots[i] for i in reversed(self._by_accuracy())]
        sizes = [QSizeF(metrics.horizontalAdvance(spot.entry.title) + 2, metrics.height()) for spot in spots]
        for network_id, box in scale.labels(spots, sizes).items():
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), self._spots[network_id].entry.title)

    def _paint_slip(self, painter: QPainter, scale: Scale, spot: Spot) -> None:
        """Name and numbers beside the point, inside the widget."""
        theme = self._themes.theme
        fonts = (body_font(bold=True), body_font(), small_font())
        texts = self._said(spot)
        metrics = [QFontMetricsF(font) for font in fonts]
        width = max(m.horizontalAdvance(text) for m, text in zip(metrics, texts, strict=True)) + 3 * GRID
        height = sum(m.height() for m in metrics) + 2 * GRID
        middle, off = scale.place(spot), scale.radius(spot.facts.num_parameters) + GRID
        left = middle.x() + off if middle.x() + off + width <= self.width() else middle.x() - off - width
        top = min(max(middle.y() - height / 2, 0.0), self.height() - height)
        box = QRectF(max(0.0, left), top, width, height)
        painter.setPen(QPen(theme.border, 1))
        painter.setBrush(theme.card)
        painter.drawRoundedRect(box, GRID / 2, GRID / 2)
        y = box.top() + GRID
        for font, m, text, colour in zip(fonts, metrics, texts, (theme.text, theme.text, theme.muted), strict=True):
            painter.setFont(font)
            painter.setPen(colour)
            painter.drawText(QPointF(box.left() + 1.5 * GRID, y + m.ascent()), text)
            y += m.height()


def _round_count(value: float) -> str:
    """A count of one digit without the zeros behind its point: "50 M"."""
    written, space, unit = numbers.short_count(value).partition(numbers.THIN_SPACE)
    return f"{written.rstrip('0').rstrip('.') if '.' in written else written}{space}{unit}"


def _source(entry: Entry) -> str:
    """Whose number the accuracy is."""
    assert entry.pretrained is not None
    return f"torchvision, {entry.pretrained.model} {entry.pretrained.weights}"
