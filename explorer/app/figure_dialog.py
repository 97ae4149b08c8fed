"""The figure dialog: what of the canvas to draw for a paper and how large, with the figure itself beside the choices.

What a figure looks like is `explorer.canvas.figure`'s.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from explorer.canvas.figure import (
    FIT_PAGE,
    PAGE_MM,
    SUFFIXES,
    Figure,
    FigureError,
    FigureOptions,
    encoded,
    figure,
    folded,
    image,
    save,
)
from explorer.canvas.folds import Folds
from explorer.canvas.maps_strip import Strip
from explorer.look.check_box import CheckBox
from explorer.look.theme import GRID
from explorer.session import Document, Selection, clipboard
from explorer.session.arrangement import SECTION, positions_in
from explorer.session.places import settings

_PREVIEW_WIDTH, _PREVIEW_HEIGHT = 46 * GRID, 64 * GRID
_SMALLEST_POINTS = 5.0
"""Smaller letters most journals refuse."""
_WAIT_MS = 60
_MM_AN_INCH = 25.4


class FigureDialog(QDialog):
    """Exports figures; stays open, so that several formats are a click each."""

    def __init__(
        self,
        document: Document,
        selection: Selection,
        folds: Folds,
        strips: Mapping[str, Strip],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._selected = document, frozenset(selection.ids)
        self._folds, self._strips = folds, strips
        self.figure: Figure | None = None
        self.setWindowTitle(self.tr("Export figure of {0}").format(document.architecture.name))
        self._make_choices()
        self._make_preview()
        self._restore()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_WAIT_MS)
        self._later.timeout.connect(self.draw)
        for box in (self.part, self.fold, self.columns):
            box.currentIndexChanged.connect(self._later.start)
        for check in (self.shapes, self.counts, self.maps, self.transparent):
            check.toggled.connect(self._later.start)
        self.width_mm.valueChanged.connect(self._later.start)
        self.draw()

    # Building

    def _make_choices(self) -> None:
        self.part, self.fold = QComboBox(), QComboBox()
        self.part.addItem(self.tr("The whole canvas"), "all")
        if self._selected:
            self.part.addItem(self.tr("The selection"), "selection")
        else:
            self.part.setToolTip(self.tr("Select layers on the canvas to draw only those"))
        for text, depth in (
            (self.tr("As on the canvas"), "shown"),
            (self.tr("As the network opens"), "auto"),
            (self.tr("All folded"), "all"),
            (self.tr("All open"), "none"),
        ):
            self.fold.addItem(text, depth)
        self.columns = QComboBox()
        for count in (1, 2, 3, 4):
            self.columns.addItem(self.tr("One") if count == 1 else str(count), count)
        self.columns.addItem(self.tr("As fit a page"), FIT_PAGE)
        self.columns.setToolTip(
            self.tr("A tall figure is cut and goes on beside itself; a page has {0} × {1} mm").format(
                *(f"{mm:.0f}" for mm in PAGE_MM)
            )
        )
        self.shapes = CheckBox(self.tr("Output shapes"))
        self.counts = CheckBox(self.tr("Numbers of parameters"))
        self.maps = CheckBox(self.tr("Live pictures on the layers"))
        self.maps.setEnabled(bool(self._strips))
        self.maps.setToolTip(
            "" if self._strips else self.tr("The canvas shows no pictures: start a run, or apply weights")
        )
        self.transparent = CheckBox(self.tr("No white ground"))
        self.width_mm = QDoubleSpinBox()
        self.width_mm.setRange(0, 2000)
        self.width_mm.setDecimals(1)
        self.width_mm.setSuffix(self.tr(" mm"))
        self.width_mm.setSpecialValueText(self.tr("natural"))
        self.width_mm.setToolTip(self.tr("A column is often 85 mm wide, a page 178 mm; 0 is the natural size"))
        self.facts, self.status = QLabel(), QLabel()
        for label in (self.facts, self.status):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)

    def _make_preview(self) -> None:
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        # Paper is white in the dark theme too.
        self._picture.setStyleSheet("background: white")
        area = QScrollArea()
        area.setWidget(self._picture)
        area.setWidgetResizable(True)
        area.setMinimumSize(_PREVIEW_WIDTH + 4 * GRID, _PREVIEW_HEIGHT)
        area.setAccessibleName(self.tr("Preview of the figure"))
        form = QFormLayout()
        form.addRow(self.tr("Draw"), self.part)
        form.addRow(self.tr("Blocks"), self.fold)
        form.addRow(self.tr("Columns"), self.columns)
        form.addRow(self.tr("Width"), self.width_mm)
        for check in (self.shapes, self.counts, self.maps, self.transparent):
            form.addRow("", check)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = self.buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self.save_button = self.buttons.addButton(self.tr("Save…"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.save_button.setDefault(True)
        self.copy_button.clicked.connect(self.copy)
        self.buttons.accepted.connect(self._ask)
        self.buttons.rejected.connect(self.reject)
        side = QVBoxLayout()
        side.addLayout(form)
        side.addSpacing(2 * GRID)
        side.addWidget(self.facts)
        side.addWidget(self.status)
        side.addStretch(1)
        side.addWidget(self.buttons)
        row = QHBoxLayout(self)
        row.addWidget(area, 1)
        row.addLayout(side)

    # What is chosen

    def draw(self) -> None:
        """Lay the figure out as chosen, and show it."""
        self._later.stop()
        options = FigureOptions(
            shapes=self.shapes.isChecked(),
            counts=self.counts.isChecked(),
            columns=self.columns.currentData(),
            width_mm=self.width_mm.value() or None,
            is_transparent=self.transparent.isChecked(),
        )
        snapshot, depth = self._document.snapshot, self.fold.currentData()
        folds = self._folds if depth == "shown" else folded(snapshot.architecture, depth)
        try:
            self.figure = figure(
                snapshot.architecture,
                snapshot.inference,
                folds,
                options,
                self._selected if self.part.currentData() == "selection" else None,
                self._strips if self.maps.isChecked() else None,
                positions_in(self._document.sections.get(SECTION)),
            )
            self._show(self.figure)
            self.status.clear()
        except FigureError as error:
            self._picture.clear()
            self.status.setText(str(error))

    def _show(self, drawn: Figure) -> None:
        text = self.tr("{0} × {1} mm, smallest letters {2} points.").format(
            f"{drawn.width_mm:.0f}", f"{drawn.height_mm:.0f}", f"{drawn.smallest_points:.1f}"
        )
        if drawn.smallest_points < _SMALLEST_POINTS:
            text += " " + self.tr("Most journals ask for 5 points or more: make it wider, or fold blocks.")
        self.facts.setText(text)
        ratio = self.devicePixelRatioF()
        # No wider than the room, and low enough for any screen's memory.
        dots = min(_PREVIEW_WIDTH * ratio / drawn.width_mm, 12_000 / drawn.height_mm)
        pixmap = QPixmap.fromImage(image(drawn, dots * _MM_AN_INCH))
        pixmap.setDevicePixelRatio(ratio)
        self._picture.setPixmap(pixmap)

    # What is done with it

    def copy(self) -> None:
        """Put the figure into the clipboard: as a picture, and as SVG for programs that take that."""
        self.draw()
        if self.figure is None:
            return
        data = clipboard.empty()
        try:
            data.setData("image/svg+xml", QByteArray(encoded(self.figure, ".svg")))
            data.setImageData(image(self.figure))
        except FigureError as error:
            # The vector figure has no such limit.
            self.status.setText(str(error))
        else:
            self.status.setText(self.tr("Copied."))
        QGuiApplication.clipboard().setMimeData(data)
        self._remember()

    def save_to(self, path: Path) -> bool:
        """Write the figure, in the format that the file's name says; whether that went well."""
        self.draw()
        if self.figure is None:
            return False
        try:
            save(self.figure, path)
        except FigureError as error:
            self.status.setText(str(error))
            return False
        settings().setValue("figure/folder", str(path.parent))
        settings().setValue("figure/suffix", path.suffix.lower())
        self._remember()
        self.status.setText(self.tr("Saved {0}.").format(path))
        return True

    def _ask(self) -> None:
        stored = settings()
        suffix = str(stored.value("figure/suffix", SUFFIXES[1]))
        name = re.sub(r"\W+", "_", self._document.architecture.name.lower()).strip("_") or "network"
        start = Path(str(stored.value("figure/folder", str(Path.home())))) / f"{name}{suffix}"
        filters = {kind: self.tr("{0} file (*{1})").format(kind[1:].upper(), kind) for kind in SUFFIXES}
        chosen, kind = QFileDialog.getSaveFileName(
            self, self.tr("Save figure"), str(start), ";;".join(filters.values()), filters.get(suffix, "")
        )
        if chosen:
            path = Path(chosen)
            wanted = next((known for known, text in filters.items() if text == kind), suffix)
            self.save_to(path if path.suffix.lower() in SUFFIXES else path.with_name(path.name + wanted))

    def _remember(self) -> None:
        stored = settings()
        for name, check in self._checks().items():
            stored.setValue(f"figure/{name}", check.isChecked())
        stored.setValue("figure/fold", self.fold.currentData())
        stored.setValue("figure/columns", self.columns.currentData())
        stored.setValue("figure/width_mm", self.width_mm.value())

    def _restore(self) -> None:
        stored = settings()
        for name, check in self._checks().items():
            default = name in ("shapes", "counts")
            check.setChecked(str(stored.value(f"figure/{name}", default)).lower() == "true" and check.isEnabled())
        self.fold.setCurrentIndex(max(0, self.fold.findData(stored.value("figure/fold", "shown"))))
        self.columns.setCurrentIndex(max(0, self.columns.findData(int(str(stored.value("figure/columns", 1))))))
        self.width_mm.setValue(float(str(stored.value("figure/width_mm", 0))))

    def _checks(self) -> Mapping[str, CheckBox]:
        return {"shapes": self.shapes, "counts": self.counts, "maps": self.maps, "transparent": self.transparent}
