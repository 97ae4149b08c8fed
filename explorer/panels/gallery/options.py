"""What the gallery asks before it opens a network otherwise than the catalogue has it, and what that comes to."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from explorer.architecture import Architecture, ArchitectureError
from explorer.inference import Inference, infer
from explorer.look import numbers
from explorer.look.theme import ThemeSource
from explorer.panels.parameters.dialog import Outcome, ParameterDialog
from explorer.zoo import Entry, Value


def _tr(text: str) -> str:
    return QCoreApplication.translate("GalleryOptions", text)


def totals_text(architecture: Architecture, inference: Inference) -> str:
    """Parameters, MACs and what arrives, as the cards say it."""
    return _tr("{parameters} parameters · {macs} MACs · {shape}").format(
        parameters=numbers.short_count(inference.totals.num_parameters),
        macs=numbers.short_count(inference.totals.macs),
        shape=numbers.shape(architecture.input_shape),
    )


def outcome(build: Callable[[], Architecture]) -> Outcome:
    """What a network comes to: its totals, or its first fault where they end there; or why there is none."""
    try:
        architecture = build()
    except (ArchitectureError, ValueError) as error:
        return Outcome(str(error), is_possible=False)
    inference = infer(architecture)
    if inference.errors:
        return Outcome("", issue=inference.errors[0].text)
    return Outcome(totals_text(architecture, inference))


def options_dialog(entry: Entry, themes: ThemeSource, parent: QWidget | None = None) -> ParameterDialog:
    """The dialog for a network of the catalogue; its `chosen` tells the values for `Entry.build`."""

    def describe(values: Mapping[str, Value]) -> Outcome:
        return outcome(lambda: entry.build(**values))

    return ParameterDialog(
        entry.title, entry.idea, entry.parameters, describe, themes, button=_tr("Open"), parent=parent
    )
