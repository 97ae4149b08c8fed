"""Loss and accuracy of a run as it goes, every step and every epoch. The numbers are `data`'s to keep."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFileDialog, QMenu, QStackedLayout, QWidget

from explorer.look import numbers
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.curves.data import RunCurves, envelope_at, nice_limit
from explorer.panels.dock_panel import DockPanel
from explorer.runs import EpochFinished, Event, RunStarted, StepsRecorded

if TYPE_CHECKING:
    from explorer.panels.curves.plot import Plot

_SIDE_BY_SIDE = 84 * GRID
_FLAT = 1.5
"""So many times as wide as high, two plots stand side by side whatever the width."""

_LINE_PIXELS = 2
"""How wide the lines of the epochs are: so many pixels share one least and one greatest value."""


class Curves(DockPanel):
    """Loss at the left, accuracy at the right. The wheel zooms along the steps, a drag pans, a double-click shows all.

    Signals:
        failed(str): why a picture or table could not be saved.
        step_chosen(str, int): a step of this run was clicked.
    """

    failed = Signal(str)
    step_chosen = Signal(str, int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._plots: tuple[Plot, Plot] | None = None
        self._data = RunCurves()
        self._run_id = ""
        self._follows = True
        self._hovered: int | None = None
        self._moment: int | None = None
        self._is_stale = False
        self._num_epochs_drawn = -1
        self._is_begun = False
        """Whether the run on screen has said what it trains, so that its first step is under way."""
        self._is_waiting = False
        self._why_not: str | None = None
        self._empty = RoleLabel(themes, role="muted", font=body_font(), wraps=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._say_empty()
        self._page = QWidget(self)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._page)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(GRID)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._page)

    @property
    def data(self) -> RunCurves:
        """All points of the run on screen."""
        return self._data

    @property
    def run_id(self) -> str:
        """Whose curves they are; empty before it has said so."""
        return self._run_id

    @property
    def plots(self) -> "tuple[Plot, Plot]":
        """The loss and the accuracy plot."""
        return self.prepare()

    def prepare(self) -> "tuple[Plot, Plot]":
        """Load pyqtgraph (0.2 s) and make the plots, so that the first point need not wait for it."""
        if self._plots is None:
            from explorer.panels.curves.plot import Plot

            self._plots = (
                Plot(self.tr("Loss"), self.tr("nats"), self._themes, self._page),
                Plot(self.tr("Accuracy"), "%", self._themes, self._page),
            )
            for plot in self._plots:
                self._row.addWidget(plot, 1)
                plot.hovered.connect(self._hover)
                plot.clicked.connect(lambda step: self.step_chosen.emit(self._run_id, max(0, round(step))))
                plot.show_moment(self._moment)
                plot.moved.connect(self._move)
                plot.reset_requested.connect(self.show_all)
                plot.menu_requested.connect(self._open_menu)
                plot.resized.connect(self._refit)
        return self._plots

    def show_waiting(self, is_waiting: bool, why_not: str | None = None) -> None:
        """Say, while there is no point yet, whether a run is on its way or one is to be started.

        Args:
            is_waiting: whether one is on its way.
            why_not: what keeps one from being started.
        """
        self._is_waiting, self._why_not = is_waiting, why_not
        self._say_empty()

    def clear(self) -> None:
        """Forget the run on screen."""
        self._data = RunCurves()
        self._run_id = ""
        self._follows = True
        self._hovered = None
        self._num_epochs_drawn = -1
        self._is_begun = False
        self._say_empty()
        self._stack.setCurrentWidget(self._empty)

    def put(self, events: Iterable[Event]) -> None:
        """Add what a run says; anything but `RunStarted`, `StepsRecorded` and `EpochFinished` is passed over."""
        changed = False
        for event in events:
            if isinstance(event, RunStarted):
                self.clear()
                self._is_begun = True
                self._run_id = event.run_id
                self._say_empty()
                self._data.steps_per_epoch = event.steps_per_epoch
            elif isinstance(event, (StepsRecorded, EpochFinished)):
                self._data.put(event)
                changed = True
        if changed:
            self._is_stale = True
            self._follow_seen(self.is_seen)

    def show_moment(self, run_id: str, step: int | None) -> None:
        """Mark the step of a run that is looked back at, if these are its curves; None for the present."""
        self._moment = step if run_id == self._run_id else None
        for plot in self._plots or ():
            plot.show_moment(self._moment)

    def show_all(self) -> None:
        """Show the whole run again, and follow it."""
        self._follows = True
        self._draw()

    def copy_image(self) -> None:
        """Put a picture of both plots on the clipboard."""
        QGuiApplication.clipboard().setPixmap(self.grab())

    def save_image(self, path: Path) -> None:
        """Write a picture of both plots; `failed` says why it could not be."""
        if not self.grab().save(str(path)):
            self.failed.emit(self.tr("{path} could not be written; choose another folder").format(path=path))

    def save_csv(self, path: Path) -> None:
        """Write every point as a table; `failed` says why it could not be."""
        try:
            path.write_text(self._data.csv(), encoding="utf-8")
        except OSError as error:
            self.failed.emit(self.tr("{path}: {why}").format(path=path, why=error.strerror or error))

    def menu(self) -> QMenu:
        """What a right click offers."""
        menu = QMenu(self)
        menu.addAction(self.tr("Show whole run"), self.show_all)
        menu.addSeparator()
        menu.addAction(self.tr("Copy image"), self.copy_image)
        menu.addAction(self.tr("Save image…"), self._ask_image)
        menu.addAction(self.tr("Export CSV…"), self._ask_csv)
        return menu

    def sizeHint(self) -> QSize:
        return QSize(96 * GRID, 30 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(30 * GRID, 15 * GRID)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Plots that are not even as high as their axes say nothing, however wide.
        wide = self.width() >= min(_SIDE_BY_SIDE, _FLAT * self.height())
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)

    def _say_empty(self) -> None:
        if not self._is_waiting:
            text = self._why_not or self.tr("Start a run (F5): the loss and accuracy of every step appear here.")
        elif self._is_begun:
            text = self.tr("The first step is under way: the loss and accuracy of every step appear here.")
        else:
            text = self.tr("The run is starting: the loss and accuracy of every step appear here.")
        self._empty.show_text(text)

    def _follow_seen(self, is_seen: bool) -> None:
        if is_seen and self._is_stale:
            self._draw()

    def _refit(self) -> None:
        plots = self.plots
        # Of an odd width one of them has a pixel more.
        width = min(plot.width() for plot in plots)
        heading_width = max(plot.heading_width(width) for plot in plots)
        for plot in plots:
            plot.fit_head(width, heading_width)
        self._is_stale = True
        self._follow_seen(self.is_seen)

    def _draw(self) -> None:
        self._is_stale = False
        if self._data.is_empty:
            return
        plots = self.prepare()
        self._stack.setCurrentWidget(self._page)
        if self._follows:
            end = nice_limit(self._data.last_step)
            total = self._data.num_steps_total
            for plot in plots:
                plot.show_range(0, min(end, total) if total >= self._data.last_step else end)
        self._draw_batches(plots)
        self._draw_epochs(plots)
        self._read_out()
        for plot in plots:
            plot.settle()

    def _draw_batches(self, plots: "tuple[Plot, Plot]") -> None:
        from explorer.panels.curves.plot import Line

        steps, losses = self._data.losses.envelope(*plots[0].range, plots[0].num_columns)
        plots[0].show_batch(Line(steps, losses))
        highest = float(np.nanmax(losses, initial=0.0))
        plots[0].show_limit(nice_limit(max(highest, self._data.highest_epoch_loss(*plots[0].range))))
        steps, shares = self._data.accuracies.envelope(*plots[1].range, plots[1].num_columns)
        plots[1].show_batch(Line(steps, shares * 100))
        plots[1].show_limit(100)

    def _draw_epochs(self, plots: "tuple[Plot, Plot]") -> None:
        from explorer.panels.curves.plot import Line

        # What lies outside is cut off by the plot; few enough epochs are drawn as they come, not as the plot moves.
        num_epochs = len(self._data.epochs)
        is_dense = num_epochs > min(plot.num_columns for plot in plots) // _LINE_PIXELS
        if not is_dense and num_epochs == self._num_epochs_drawn:
            return
        is_new = num_epochs != self._num_epochs_drawn
        self._num_epochs_drawn = num_epochs
        for plot, kind, unit in zip(plots, ("loss", "accuracy"), (1, 100), strict=True):
            lines = []
            for part in ("train", "test"):
                steps, values = self._data.epoch_values(f"{part}_{kind}")
                if is_dense:
                    steps, values = envelope_at(steps, values, *plot.range, plot.num_columns // _LINE_PIXELS)
                lines.append(Line(steps, values * unit))
            # Where the epochs have room, most steps of a pan show the same ones.
            if is_new or not np.array_equal(plot.epoch_steps, lines[0].steps):
                plot.show_epochs(*lines)

    def _read_out(self) -> None:
        if self._plots is None:
            return
        step = self._data.last_step if self._hovered is None else self._hovered
        epoch, number = self._data.epoch_at(step), self._data.epoch_of(step)
        place = self.tr("step")
        if self._hovered is not None:
            place = self.tr("step {step}").format(step=numbers.exact_count(step))
            if number is not None:
                place = self.tr("{step} · epoch {epoch}").format(step=place, epoch=number)
        loss, accuracy = self._data.losses.at(step), self._data.accuracies.at(step)
        self._plots[0].show_readout(
            place,
            (
                numbers.loss(loss),
                numbers.loss(epoch.train_loss if epoch else None),
                numbers.loss(epoch.test_loss if epoch else None),
            ),
        )
        self._plots[1].show_readout(
            place,
            (
                numbers.percent(accuracy),
                numbers.percent(epoch.train_accuracy if epoch else None),
                numbers.percent(epoch.test_accuracy if epoch else None),
            ),
        )

    def _hover(self, step: float) -> None:
        assert self._plots is not None
        if math.isnan(step):
            self._hovered = None
        else:
            first = self._data.losses.first_step
            self._hovered = max(first, min(self._data.last_step, round(step)))
        for plot in self._plots:
            plot.show_cross(self._hovered)
        self._read_out()

    def _move(self, first: float, last: float) -> None:
        assert self._plots is not None
        self._follows = False
        for plot in self._plots:
            plot.show_range(first, last)
        self._draw()

    def _open_menu(self, position: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(position)

    def _ask_image(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save image"), "curves.png", self.tr("Picture (*.png)"))
        if name:
            self.save_image(Path(name))

    def _ask_csv(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Export CSV"), "curves.csv", self.tr("Table (*.csv)"))
        if name:
            self.save_csv(Path(name))
