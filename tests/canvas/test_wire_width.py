"""Wires are as thick as what passes is large, between bounds, unless that is switched off."""

import itertools

import numpy as np
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from explorer.canvas.wire_width import PLAIN, width
from explorer.layers import Shape
from tests.canvas.conftest import Canvas


def test_more_values_make_a_thicker_wire_between_bounds() -> None:
    shapes: list[Shape] = [(10,), (4096,), (256, 14, 14), (64, 56, 56), (64, 224, 224), (4096, 512, 512)]
    widths = [width((shape,)) for shape in shapes]
    assert all(more > less for less, more in itertools.pairwise(widths[1:-1]))
    assert 1.0 <= widths[0] <= PLAIN
    assert widths[-1] <= 3 * PLAIN
    assert width((None,)) == widths[0]
    assert width(((64, 56, 56), (64, 56, 56))) > width(((64, 56, 56),))


def test_steps_of_size_are_steps_of_thickness() -> None:
    by_factor_four = [width(((values,),)) for values in (1024, 4096, 16384, 65536)]
    assert np.allclose(np.diff(by_factor_four, 2), 0.0)


def _drawn_width(canvas: Canvas, target: str) -> float:
    """Pixels of the scene across the wire into a node, as it is drawn: counted at a scale of 20."""
    placement = canvas.scene.placement
    assert placement is not None
    ((wire, points),) = ((wire, points) for wire, points in placement.wires.items() if wire.target == target)
    line, scale = canvas.scene.wires[wire], 20
    image = QImage(10 * scale, 1, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    painter.scale(scale, scale)
    painter.translate(line.mapFromScene(points[0].x - 5, points[0].y + 5) * -1)
    line.paint(painter, QStyleOptionGraphicsItem())
    painter.end()
    return sum(image.pixelColor(x, 0) != QColor("white") for x in range(image.width())) / scale


def test_the_canvas_draws_it_and_can_leave_it(canvas: Canvas) -> None:
    shape = canvas.document.snapshot.inference.nodes["conv1"].output_shape
    early, late = canvas.architecture.consumers("conv1")[0], canvas.architecture.outputs[0]
    assert abs(_drawn_width(canvas, early) - width((shape,))) < 0.1
    assert _drawn_width(canvas, early) > _drawn_width(canvas, late)
    canvas.view.reading.show_wires_by_size(False)
    assert abs(_drawn_width(canvas, early) - PLAIN) < 0.1
    assert _drawn_width(canvas, early) == _drawn_width(canvas, late)
    canvas.view.reading.show_wires_by_size(True)
    assert _drawn_width(canvas, early) > _drawn_width(canvas, late)
