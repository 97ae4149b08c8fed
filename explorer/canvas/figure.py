"""A network as a figure for a paper: which part, how far folded, in how many columns, how large; to SVG, PDF and PNG.

Text stays text and names its font; no selection, no window, no display is needed, but a QGuiApplication. The ink is
`figure_drawing`'s.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QCoreApplication, QIODevice, QMarginsF, QRectF, QSize, QSizeF
from PySide6.QtGui import QColor, QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from explorer.architecture import Architecture
from explorer.architecture.files import write_atomically
from explorer.architecture.folding import Shown, foldable, folded_by_default
from explorer.architecture.placement import Box, Placement, Point, lay_out
from explorer.canvas.block_facts import block_facts
from explorer.canvas.figure_columns import MOST_COLUMNS, Columns, fitting, in_columns
from explorer.canvas.figure_drawing import GAP, Fonts, Words, block_words, draw, fonts, node_words, sizes
from explorer.canvas.figure_places import like_on_screen
from explorer.canvas.folds import Folds
from explorer.canvas.maps_strip import Strip
from explorer.inference import Inference

SUFFIXES = (".svg", ".pdf", ".png")
FOLDS = ("auto", "all", "none")
"""How far to fold: as a network opens, every block, or none."""
MM_A_PIXEL = 0.2
"""The natural size: small words are 6 points high, names 7."""
PNG_DPI = 300
FIT_PAGE = 0
PAGE_MM = (178.0, 240.0)
"""Width and height of what most journals print on a page."""
_MARGIN = 2.0
"""Around the drawing, in its pixels: half a line, and the shadow of a folded block."""
_STACKED = 5.0
_MOST_PIXELS = 32_767
"""A side of a picture, for Qt's raster engine."""
_MOST_AREA = 256_000_000
_MM_AN_INCH = 25.4


def _tr(text: str) -> str:
    return QCoreApplication.translate("Figure", text)


class FigureError(ValueError):
    """A figure that cannot be made or written; the message says what would fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureOptions:
    """What is on a figure, and how large it is."""

    shapes: bool
    """Whether each card says what comes out of it."""
    counts: bool
    """Whether each card says how many parameters it has."""
    columns: int
    """Into how many it is cut, from 1 to `MOST_COLUMNS`; `FIT_PAGE` for as many as fit it on a page best."""
    width_mm: float | None
    """Of the whole figure; None for its natural size, `MM_A_PIXEL` for each pixel of the drawing.

    With `FIT_PAGE` the figure is no wider than this, nor than its natural size.
    """
    is_transparent: bool
    """Whether the ground is left out; else it is white."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure, laid out."""

    name: str
    shown: Shown
    placement: Placement
    frames: Mapping[str, tuple[Box, ...]]
    """Of each open block its boxes, one in each column that it is in."""
    num_columns: int
    words: Mapping[str, Words]
    kinds: Mapping[str, str]
    fonts: Fonts
    options: FigureOptions

    @property
    def rect(self) -> QRectF:
        """What of the placement's coordinates is on it."""
        stacked = _STACKED if self.shown.folded else 0.0
        return QRectF(*self.placement.bounds).adjusted(-_MARGIN, -_MARGIN, _MARGIN + stacked, _MARGIN + stacked)

    @property
    def width_mm(self) -> float:
        """How wide it is on paper."""
        return self.options.width_mm or self.rect.width() * MM_A_PIXEL

    @property
    def height_mm(self) -> float:
        """How high it is on paper."""
        return self.width_mm * self.rect.height() / self.rect.width()

    @property
    def smallest_points(self) -> float:
        """Height of its smallest words on paper, in points of 1/72 inch."""
        return self.fonts.words.pixelSize() * self.width_mm / self.rect.width() / _MM_AN_INCH * 72

    def pixels(self, dpi: float = PNG_DPI) -> tuple[int, int]:
        """Width and height as a picture."""
        return tuple(max(1, round(mm / _MM_AN_INCH * dpi)) for mm in (self.width_mm, self.height_mm))  # type: ignore[return-value]


def folded(architecture: Architecture, depth: str) -> Folds:
    """A fold state by its word, one of `FOLDS`.

    Raises:
        FigureError: another word.
    """
    if depth not in FOLDS:
        raise FigureError(f"fold received {depth!r}; use {', '.join(FOLDS)}")
    paths = {"auto": folded_by_default, "all": foldable}.get(depth, lambda _architecture: frozenset())(architecture)
    return Folds(states=dict.fromkeys(paths, True))


def figure(
    architecture: Architecture,
    inference: Inference,
    folds: Folds,
    options: FigureOptions,
    only: AbstractSet[str] | None = None,
    strips: Mapping[str, Strip] | None = None,
    moved: Mapping[str, Point] | None = None,
) -> Figure:
    """Lay a figure out.

    Args:
        only: ids of the nodes to show; None shows all.
        strips: live maps by the item they stand on.
        moved: top left corners on the canvas of what a hand has moved, which stands there in the figure too.

    Raises:
        FigureError: nothing to show, or an impossible number of columns.
    """
    on_screen = folds.shown(architecture)
    shown = on_screen if only is None else _part(on_screen, only)
    if not shown.items:
        raise FigureError(_tr("There is nothing to draw: the selection is empty."))
    strips = strips or {}
    reports, words = inference.nodes, {}
    for item in shown.items:
        frame, strip = shown.inside.get(item, ""), strips.get(item)
        if item in shown.folded:
            facts = block_facts(architecture, reports, item, shown.folded[item])
            words[item] = block_words(item, facts, frame, shapes=options.shapes, counts=options.counts, strip=strip)
        else:
            words[item] = node_words(
                architecture[item],
                reports[item],
                frame,
                shapes=options.shapes,
                counts=options.counts,
                is_output=item in architecture.outputs,
                strip=strip,
            )
    used = fonts()
    placement = lay_out(sizes(words, used), shown.links, shown.inside, shown.frames, GAP)
    if moved:
        placement = like_on_screen(architecture, on_screen, moved, placement, shown.inside)
    columns = _columns(placement, options)
    drawn = Figure(
        name=architecture.name,
        shown=shown,
        placement=columns.placement,
        frames=columns.frames,
        num_columns=columns.count,
        words=words,
        kinds={block.path: block.kind for block in architecture.blocks},
        fonts=used,
        options=options,
    )
    return _on_a_page(drawn) if options.columns == FIT_PAGE else drawn


def encoded(drawn: Figure, suffix: str) -> bytes:
    """A figure as the content of a file.

    Raises:
        FigureError: an unknown suffix, or a picture too large to be one.
    """
    makers = {".svg": _svg, ".pdf": _pdf, ".png": _png}
    if suffix.lower() not in makers:
        raise FigureError(_tr("{0} is no figure; use {1}").format(suffix or "''", ", ".join(SUFFIXES)))
    return makers[suffix.lower()](drawn)


def save(drawn: Figure, path: Path) -> None:
    """Write a figure; an existing file is replaced once the new one is whole on disk.

    Raises:
        FigureError: as `encoded`; or the file cannot be written, and why.
    """
    content = encoded(drawn, path.suffix)
    try:
        write_atomically(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FigureError(_tr("{0} could not be written: {1}").format(path, reason)) from error


def image(drawn: Figure, dpi: float = PNG_DPI) -> QImage:
    """A figure as a picture.

    Raises:
        FigureError: it would have more pixels than a picture can.
    """
    width, height = drawn.pixels(dpi)
    if max(width, height) > _MOST_PIXELS or width * height > _MOST_AREA:
        raise FigureError(
            _tr(
                "The picture would have {0} × {1} pixels, too many: make it narrower, fold blocks, or use SVG or PDF."
            ).format(f"{width:,}", f"{height:,}")
        )
    result = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    result.fill(QColor(0, 0, 0, 0) if drawn.options.is_transparent else QColor("white"))
    dots = round(dpi / _MM_AN_INCH * 1000)
    result.setDotsPerMeterX(dots)
    result.setDotsPerMeterY(dots)
    painter = QPainter(result)
    _draw(painter, drawn, width / drawn.rect.width())
    painter.end()
    return result


def _columns(placement: Placement, options: FigureOptions) -> Columns:
    if not FIT_PAGE <= options.columns <= MOST_COLUMNS:
        raise FigureError(f"columns received {options.columns}; use 1 to {MOST_COLUMNS}, or {FIT_PAGE} to fit a page")
    if options.columns != FIT_PAGE:
        return in_columns(placement, options.columns)
    width_mm, height_mm = PAGE_MM
    return fitting(placement, (options.width_mm or width_mm) / MM_A_PIXEL, height_mm / MM_A_PIXEL)


def _on_a_page(drawn: Figure) -> Figure:
    """The figure no larger than its natural size, than the width that is asked for, or else than a page."""
    natural_mm, (width_mm, height_mm) = drawn.rect.width() * MM_A_PIXEL, PAGE_MM
    widest = min(natural_mm, drawn.options.width_mm or width_mm, height_mm * drawn.rect.width() / drawn.rect.height())
    return replace(drawn, options=replace(drawn.options, width_mm=widest))


def _part(shown: Shown, only: AbstractSet[str]) -> Shown:
    """Of what is shown the items that stand for some of these nodes."""
    items = tuple(item for item in shown.items if not only.isdisjoint(shown.folded.get(item, (item,))))
    kept = set(items)
    frames: set[str] = set()
    for item in items:
        path = shown.inside.get(item)
        while path is not None:
            frames.add(path)
            path = shown.inside.get(path)
    return Shown(
        items=items,
        folded={item: held for item, held in shown.folded.items() if item in kept},
        frames=tuple(path for path in shown.frames if path in frames),
        inside={key: path for key, path in shown.inside.items() if key in kept or key in frames},
        holders={node_id: item for node_id, item in shown.holders.items() if item in kept},
        links={link: held for link, held in shown.links.items() if link.source in kept and link.target in kept},
        scope=shown.scope,
    )


def _draw(painter: QPainter, drawn: Figure, scale: float) -> None:
    painter.scale(scale, scale)
    painter.translate(-drawn.rect.topLeft())
    draw(painter, drawn.placement, drawn.frames, drawn.shown, drawn.words, drawn.kinds, drawn.fonts)


def _svg(drawn: Figure) -> bytes:
    buffer, rect = _buffer(), drawn.rect
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setTitle(drawn.name)
    generator.setDescription(_tr("{0}, drawn by Architecture Explorer").format(drawn.name))
    generator.setSize(QSize(1, 1))
    generator.setViewBox(QRectF(0, 0, rect.width(), rect.height()))
    painter = QPainter(generator)
    if not drawn.options.is_transparent:
        painter.fillRect(QRectF(0, 0, rect.width(), rect.height()), QColor("white"))
    _draw(painter, drawn, 1.0)
    painter.end()
    text = bytes(buffer.data().data()).decode("utf-8")
    # The generator knows whole pixels only; and a reader without the font is to take one like it.
    size = f'width="{drawn.width_mm:.3f}mm" height="{drawn.height_mm:.3f}mm"'
    text = re.sub(r'width="[^"]*" height="[^"]*"', size, text, count=1)
    family = drawn.fonts.words.family()
    text = text.replace(f'font-family="{family}"', f'font-family="{family}, Helvetica, Arial, sans-serif"')
    return text.encode("utf-8")


def _pdf(drawn: Figure) -> bytes:
    buffer, rect = _buffer(), drawn.rect
    writer = QPdfWriter(buffer)
    writer.setTitle(drawn.name)
    writer.setCreator("Architecture Explorer")
    points = QSizeF(drawn.width_mm, drawn.height_mm) / _MM_AN_INCH * 72
    exact = QPageSize.SizeMatchPolicy.ExactMatch
    size = QPageSize(points, QPageSize.Unit.Point, drawn.name, exact)
    writer.setPageLayout(QPageLayout(size, QPageLayout.Orientation.Portrait, QMarginsF()))
    writer.setResolution(1200)
    painter = QPainter(writer)
    _draw(painter, drawn, drawn.width_mm / _MM_AN_INCH * 1200 / rect.width())
    painter.end()
    return bytes(buffer.data().data())


def _png(drawn: Figure) -> bytes:
    buffer = _buffer()
    image(drawn).save(buffer, "PNG")  # type: ignore[call-overload]  # the stub knows bytes only, the call text only
    return bytes(buffer.data().data())


def _buffer() -> QBuffer:
    buffer = QBuffer()
    buffer.setData(QByteArray())
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer
