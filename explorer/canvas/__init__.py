"""The layer graph: a `GraphView` over the document. It draws and edits; the numbers are inference's business."""

from explorer.canvas.view import GraphView

__all__ = ["GraphView"]
