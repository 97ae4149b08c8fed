"""Figures from the command line: `arch-explorer export NAME --to graph.svg`. Qt without a display, and no torch.

What a figure looks like is `explorer.canvas.figure`'s.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from explorer.architecture import Architecture
from explorer.architecture.files import load
from explorer.cli.parser import UserMistake
from explorer.cli.target import is_project
from explorer.inference import infer

SUFFIXES = (".svg", ".pdf", ".png")
"""Files that are figures."""
FOLDS = ("auto", "all", "none")
_MOST_COLUMNS = 12
_MM = {"mm": 1.0, "cm": 10.0, "in": 25.4, "px": 25.4 / 300}
"""Millimetres in each unit of a width; a pixel is one of a picture at 300 dots an inch."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what a figure shows."""
    group = parser.add_argument_group("figures (.svg, .pdf, .png)")
    group.add_argument(
        "--fold", choices=FOLDS, default="auto", help="blocks to draw as one: as the window opens it, all, or none"
    )
    group.add_argument(
        "--width",
        metavar="LENGTH",
        type=_millimetres,
        help="width of the figure: 85mm, 17.8cm, 3.3in, or 1200px at 300 dpi; the natural size otherwise",
    )
    group.add_argument(
        "--columns",
        metavar="N",
        type=_columns,
        default=1,
        help="cut a tall figure into so many columns, or `page`: as many as fit it on a page of 178 by 240 mm best",
    )
    group.add_argument("--no-shapes", action="store_true", help="leave out what comes out of each layer")
    group.add_argument("--no-counts", action="store_true", help="leave out the numbers of parameters")
    group.add_argument("--transparent", action="store_true", help="no white ground")


def is_figure(path: Path) -> bool:
    """Whether a file to write is a figure."""
    return path.suffix.lower() in SUFFIXES


def write(architecture: Architecture, paths: Sequence[Path], options: argparse.Namespace) -> None:
    """Draw a network and write the figure under each name; tells each file and its size.

    Args:
        options: also with what the network was asked for as its `source`: of a project, cards stand where a hand has
            put them.

    Raises:
        UserMistake: a figure that cannot be drawn or written.
    """
    if "PySide6.QtGui" not in sys.modules:
        # Also where there is a display: a figure is to look alike everywhere.
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from PySide6.QtGui import QGuiApplication

    from explorer.canvas import figure as figures
    from explorer.session.arrangement import SECTION, positions_in

    application = QGuiApplication.instance() or QGuiApplication(sys.argv[:1])
    assert application is not None
    drawn_options = figures.FigureOptions(
        shapes=not options.no_shapes,
        counts=not options.no_counts,
        columns=options.columns,
        width_mm=options.width,
        is_transparent=options.transparent,
    )
    try:
        folds = figures.folded(architecture, options.fold)
        moved = positions_in(load(Path(options.source)).sections.get(SECTION)) if is_project(options.source) else {}
        drawn = figures.figure(architecture, infer(architecture), folds, drawn_options, moved=moved)
        for path in paths:
            figures.save(drawn, path)
            size = f"{drawn.width_mm:.0f} × {drawn.height_mm:.0f} mm"
            if path.suffix.lower() == ".png":
                size += " at 300 dpi, {} × {} pixels".format(*drawn.pixels())
            print(f"{path}: {size}, smallest letters {drawn.smallest_points:.1f} points")
    except figures.FigureError as error:
        raise UserMistake(str(error)) from error


def _columns(text: str) -> int:
    if text == "page":
        return 0
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_COLUMNS:
        raise argparse.ArgumentTypeError(f"received {text!r}; use 1 to {_MOST_COLUMNS}, or page")
    return int(text)


def _millimetres(text: str) -> float:
    unit = text[-2:]
    try:
        value = float(text[:-2])
    except ValueError:
        value = 0.0
    if unit not in _MM or not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"received {text!r}; use a length such as 85mm, 17.8cm, 3.3in or 1200px")
    return value * _MM[unit]
