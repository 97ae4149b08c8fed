"""The bar to choose probe images: test images by class, files, the clipboard, a drawing; one to eight, pinned.

The thumbnails are `strip`, the test images to choose from `choice`, the sheet to draw on `pad`.
"""

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.probes.choice import OfferPopup
from explorer.panels.probes.pad import DrawingPad
from explorer.panels.probes.strip import TILE, ProbeStrip
from explorer.runs import MOST_PROBES, Probe
from explorer.runs.data_sources import data_title
from explorer.session.probe_set import ProbeSet
from explorer.session.probes import LARGEST_SIDE, ProbeImageError, pixels, read_image
from explorer.session.probes_offer import Origin

_MOST_CLASSES_IN_MENU = 40


class ProbeBar(QWidget):
    """Thumbnails of the probes, and what adds more.

    Signals:
        failed(str): why a picture is no probe image.
    """

    failed = Signal(str)

    def __init__(self, probes: ProbeSet, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._probes = probes
        self._pad: DrawingPad | None = None
        self._popup: OfferPopup | None = None
        self._drawn_label = ""
        self.setAcceptDrops(True)
        self.strip = ProbeStrip(probes, themes, self)
        self.strip.turned.connect(self.turn)
        self.strip.class_chosen.connect(self.choose_class)
        self.strip.menu_asked.connect(self._open_menu)
        self.add_button = QToolButton(self)
        self.add_button.setText(self.tr("Add"))
        self.add_button.setToolTip(
            self.tr("Look at more images: of the data set, from files, pasted with Ctrl+V; or drop some on this panel")
        )
        self.add_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.draw_button = QToolButton(self)
        self.draw_button.setText(self.tr("Draw…"))
        self.draw_button.setToolTip(self.tr("Draw an image with the mouse, and see what the network makes of it"))
        self.draw_button.clicked.connect(self.draw)
        for button in (self.add_button, self.draw_button):
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setMinimumHeight(TILE)
        self._make_menu()
        self._name = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        title = RoleLabel(themes, font=small_font(), role="muted", parent=self)
        title.setText(self.tr("Probe images"))
        self._error = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=self)
        self._error.hide()
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(title)
        row.addWidget(self.strip)
        row.addWidget(self.add_button)
        row.addWidget(self.draw_button)
        row.addWidget(self._name, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self._error)
        # For the panel that the bar is in: who looks at maps need not click the bar first.
        paste = QShortcut(QKeySequence.StandardKey.Paste, parent or self, self.paste)
        paste.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        probes.changed.connect(self._apply)
        probes.fetching.connect(self._show_fetching)
        themes.changed.connect(self._recolour)
        if parent is not None:
            # Pictures are dropped anywhere on the panel, several at once.
            parent.setAcceptDrops(True)
            parent.installEventFilter(self)
        self._apply()

    @property
    def current(self) -> Probe | None:
        """The probe image; None before the bar was first shown."""
        return self._probes.current

    @property
    def error(self) -> str:
        """What was wrong with the last picture; empty if nothing."""
        return self._error.text()

    @property
    def pad(self) -> DrawingPad | None:
        """The sheet to draw on; None before it was first opened."""
        return self._pad

    @property
    def popup(self) -> OfferPopup | None:
        """The test images to choose from; None before they were first asked for."""
        return self._popup

    def load(self) -> None:
        """Take the first test image, unless an image was chosen before; does nothing the second time."""
        try:
            self._probes.ensure()
        except (OSError, ValueError, KeyError) as error:
            self._say(self.tr("The digits cannot be read ({why}); open an image instead").format(why=error))

    def choose_class(self, label: int) -> None:
        """Take a class's test image in place of the current one; the next one if it is of that class already."""
        offer, current = self._probes.offer, self.current
        if offer is None or label not in offer.by_class:
            return
        origin = None if current is None else self._probes.origin(current.label)
        if current is not None and current.target == label and origin is not None and origin.kind == "data":
            self.turn(1)
        else:
            self._put(label, 0)

    def turn(self, steps: int) -> None:
        """Take another test image of the current one's class."""
        current = self.current
        if current is None or current.target is None:
            return
        origin = self._probes.origin(current.label)
        if origin.kind == "data":
            self._put(current.target, origin.number + steps)

    def open_image(self, path: Path) -> None:
        """Take a picture from a file; the bar says so if it cannot be read."""
        self.open_images([path])

    def open_images(self, paths: Sequence[Path]) -> None:
        """Take pictures from files, as many as there is room for; the bar says what was wrong with the others."""
        problems = []
        for path in paths:
            try:
                origin = Origin("file", path=str(path.absolute()))
                probe = read_image(path)
                if self._is_taken(probe.label, origin):
                    probe = dataclasses.replace(probe, label=f"{path.absolute().parent.name}/{path.name}")
                self._add(probe, origin)
            except (ProbeImageError, ValueError) as error:
                problems.append(str(error))
        self._report(problems)

    def show_image(self, image: npt.NDArray[np.uint8], label: str) -> None:
        """Take a picture that is here already, `(H, W)` or `(3, H, W)`.

        It takes the place of one that came the same way, so that who clicks through images does not pin them all. An
        image of the data set is called by its class, a comma and its number, and keeps the class.
        """
        offer, name = self._probes.offer, label.rpartition(", ")[0]
        target = offer.class_names.index(name) if offer is not None and name in offer.class_names else None
        data = "" if target is None or offer is None else offer.data
        probe, origin = Probe(label=label, image=image, target=target), Origin("picture", data=data)
        current = self.current
        before = None if current is None else self._probes.origin(current.label)
        is_passing = before is not None and before.kind == "picture" and not before.path
        if is_passing or self._probes.is_full:
            self._probes.put(probe, origin)
        else:
            self._probes.add(probe, origin)
        self._report([])

    def paste(self) -> None:
        """Take the picture, or the files, on the clipboard."""
        data = QGuiApplication.clipboard().mimeData()
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        image = QGuiApplication.clipboard().image()
        if paths:
            self.open_images(paths)
        elif not image.isNull():
            try:
                probe = Probe(label=self._free_label(self.tr("pasted")), image=pixels(_limited(image)))
                self._add(probe, Origin("picture", path="pasted"))
            except ValueError as error:
                self._report([str(error)])
            else:
                self._report([])
        else:
            self._report([self.tr("There is no picture on the clipboard; copy one first, or drop a file here")])

    def draw(self) -> None:
        """Open a clean sheet; what is drawn on it becomes a probe."""
        if self._probes.is_full:
            self._report([self.tr("There are {0} probe images already; take one out first (Del)").format(MOST_PROBES)])
            return
        if self._pad is None:
            self._pad = DrawingPad(self._themes, self)
            self._pad.drawn.connect(self._take_drawing)
        offer = self._probes.offer
        self._drawn_label = self._free_label(self.tr("drawing"))
        self._pad.begin(self._probes.drawing_size, () if offer is None else offer.class_names)
        is_first = not self._pad.isVisible()
        self._pad.show()
        if is_first:
            # Over the panels at the left, so that the maps on the canvas and the answers below stay in sight.
            left, bottom = self.window().mapToGlobal(QPoint(GRID, 0)).x(), self.mapToGlobal(QPoint(0, -14 * GRID)).y()
            self._pad.move(left, max(0, bottom - self._pad.frameGeometry().height()))
        self._pad.raise_()
        self._pad.activateWindow()

    def choose_images(self) -> None:
        """Let test images be chosen."""
        self.load()
        if self._popup is None:
            self._popup = OfferPopup(self._probes, self._themes, self)
        self._popup.open_at(self.mapToGlobal(QPoint(self.strip.x(), -4)))

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QTimer.singleShot(0, self, self._finish)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_images(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = dropped_images(event)
        if paths:
            event.acceptProposedAction()
            self.open_images(paths)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDragEnterEvent):
            self.dragEnterEvent(event)
            return event.isAccepted()
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop and dropped_images(event):
            self.dropEvent(event)
            return True
        return super().eventFilter(watched, event)

    # What happens

    def _make_menu(self) -> None:
        menu = QMenu(self.add_button)
        self._offer_action = menu.addAction("", self.choose_images)
        self._fetch_action = menu.addAction("", self._probes.fetch_asked.emit)
        menu.addAction(self.tr("Open images…"), self._ask)
        menu.addAction(self.tr("Paste"), self.paste).setShortcutVisibleInContextMenu(False)
        menu.addAction(self.tr("Draw…"), self.draw)
        menu.addSeparator()
        self._only_action = menu.addAction(self.tr("Keep the current one only"), self._keep_only)
        menu.aboutToShow.connect(self._name_actions)
        self.add_button.setMenu(menu)

    def _name_actions(self) -> None:
        offer = self._probes.offer
        name = data_title(offer.data) if offer is not None else self.tr("the data set")
        self._offer_action.setText(self.tr("Test images of {0}…").format(name))
        wanted = self._probes.wanted_data
        self._fetch_action.setText(self.tr("Read {0} for its test images").format(data_title(wanted)))
        self._fetch_action.setVisible(offer is None or offer.data != wanted)
        self._only_action.setEnabled(len(self._probes.probes) > 1)

    def _open_menu(self, place: int, where: QPoint) -> None:
        menu = self.menu_of(place)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(where)

    def menu_of(self, place: int) -> QMenu:
        """What a right click on a thumbnail offers."""
        probe = self._probes.probes[place]
        menu = QMenu(self)
        offer = self._probes.offer
        if self._probes.origin(probe.label).kind != "data" and offer is not None:
            shows = menu.addMenu(self.tr("It shows"))
            choices = [(self.tr("unknown"), None), *((name, i) for i, name in enumerate(offer.class_names))]
            for text, target in choices[: _MOST_CLASSES_IN_MENU + 1]:
                action = shows.addAction(text, partial(self._probes.set_target, place, target))
                action.setCheckable(True)
                action.setChecked(target == probe.target)
        remove = menu.addAction(self.tr("Take out"), lambda: self._probes.remove(place))
        remove.setEnabled(len(self._probes.probes) > 1)
        return menu

    def _keep_only(self) -> None:
        for place in reversed(range(len(self._probes.probes))):
            if place != self._probes.place:
                self._probes.remove(place)

    def _put(self, label: int, number: int) -> None:
        offer = self._probes.offer
        probe = None if offer is None else offer.find(label, number)
        if probe is not None and offer is not None:
            self._probes.put(probe, offer.origin(probe))
            self._report([])

    def _add(self, probe: Probe, origin: Origin) -> None:
        if self._probes.is_full and all(one.label != probe.label for one in self._probes.probes):
            text = self.tr("{0} was not added: there are {1} probe images already; take one out first (Del)")
            raise ValueError(text.format(probe.label, MOST_PROBES))
        self._probes.add(probe, origin)

    def _is_taken(self, label: str, origin: Origin) -> bool:
        """Whether another picture is called so."""
        labels = {probe.label for probe in self._probes.probes}
        return label in labels and self._probes.origin(label).path != origin.path

    def _take_drawing(self, image: npt.NDArray[np.uint8], target: int | None) -> None:
        offer = self._probes.offer
        origin = Origin("drawn", data="" if offer is None else offer.data)
        try:
            self._add(Probe(label=self._drawn_label, image=image, target=target), origin)
        except ValueError as error:
            self._report([str(error)])
        else:
            self._report([])

    def _free_label(self, name: str) -> str:
        labels = {probe.label for probe in self._probes.probes}
        number = 1
        while (label := f"{name} {number}") in labels:
            number += 1
        return label

    def _report(self, problems: Sequence[str]) -> None:
        """Say what was wrong, or take back what was said before."""
        if problems:
            self._say("\n".join(problems))
            for problem in problems:
                self.failed.emit(problem)
        elif self.error:
            self._error.hide()
            self._error.show_text("")

    def _say(self, text: str) -> None:
        self._error.show_text(text)
        self._error.show()

    def _ask(self) -> None:
        kinds = self.tr("Images (*.png *.jpg *.jpeg *.bmp *.gif *.webp *.ppm *.pgm);;All files (*)")
        names, _ = QFileDialog.getOpenFileNames(self, self.tr("Open probe images"), "", kinds)
        self.open_images([Path(name) for name in names])

    # What is shown

    def _finish(self) -> None:
        self.load()
        self._recolour()

    def _apply(self) -> None:
        self._report([])
        probe = self.current
        if probe is None:
            self._name.show_text("")
            return
        height, width = probe.image.shape[-2:]
        parts = [probe.label]
        offer = self._probes.offer
        is_own = self._probes.origin(probe.label).kind != "data"
        if is_own and probe.target is not None and offer is not None and probe.target < len(offer.class_names):
            parts.append(self.tr("shows {0}").format(offer.class_names[probe.target]))
        parts.append(self.tr("{width}×{height} pixels").format(width=width, height=height))
        self._name.show_text(" · ".join(parts))

    def _show_fetching(self, text: str, share: float) -> None:
        if text:
            self._name.show_text(f"{text} · {numbers.percent(share, 0)}")
        else:
            self._apply()

    def _recolour(self) -> None:
        if self.isVisible():
            self.add_button.setIcon(icon("add", self._themes.theme))
            self.draw_button.setIcon(icon("draw", self._themes.theme))


def dropped_images(event: QDropEvent) -> list[Path]:
    """The files that are being dropped, whatever their names; a project is no image, nor is a folder."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return [path for path in paths if not path.name.endswith(".json") and not path.is_dir()]


def dropped_image(event: QDropEvent) -> Path | None:
    """The first of them."""
    return next(iter(dropped_images(event)), None)


def _limited(image: QImage) -> QImage:
    """At most as large as a picture from a file is kept."""
    if max(image.width(), image.height()) <= LARGEST_SIDE:
        return image
    kept, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(LARGEST_SIDE, LARGEST_SIDE, kept, smooth)
