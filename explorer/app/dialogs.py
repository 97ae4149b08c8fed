"""The dialogs about what is open, each made when it is asked for; without a network there is none."""

from typing import TYPE_CHECKING

from explorer.app.export_dialog import ExportDialog
from explorer.app.figure_dialog import FigureDialog
from explorer.app.torchinfo_dialog import TorchinfoDialog
from explorer.app.weights_dialog import WeightsDialog

if TYPE_CHECKING:
    from explorer.app.window import MainWindow


def export(window: "MainWindow") -> None:
    """Export the network, with its trained weights if there are any."""
    if not window.document.is_open:
        return
    run = window.run_session
    dialog = ExportDialog(window.document, run.checkpoint, window.training.config(), run.is_active, window)
    if run.initial_weights is not None and run.checkpoint == str(run.initial_weights.path):
        dialog.show_origin(run.initial_weights.text)
    dialog.exec()


def export_figure(window: "MainWindow") -> None:
    """Draw the canvas for a paper."""
    if window.document.is_open:
        canvas = window.canvas
        dialog = FigureDialog(window.document, window.selection, canvas.folds, canvas.strips(), window)
        dialog.exec()
        dialog.deleteLater()


def weights(window: "MainWindow") -> None:
    """Choose trained weights that the next run, the maps and an export start from."""
    if window.document.is_open:
        dialog = WeightsDialog(window.document, window.run_session, window.themes, window)
        dialog.exec()
        dialog.deleteLater()


def torchinfo(window: "MainWindow") -> None:
    """torchinfo's own summary of the network at its input and the chosen batch."""
    if window.document.is_open:
        TorchinfoDialog(window.document.architecture, window.training.config().batch_size, parent=window).open()
