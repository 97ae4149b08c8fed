"""Asks torch about opaque layers behind the window, and offers its class names where one is typed."""

from PySide6.QtCore import QObject

from explorer.app.loading import load
from explorer.layers import Opaque, Shape, layer_types
from explorer.panels.values.text import offer_words
from explorer.session import Document
from explorer.session.measuring import Measuring


def make_measuring(document: Document, parent: QObject) -> Measuring:
    """What measures the document's opaque layers, once it is enabled."""
    measuring = Measuring(document, _measure, _module_names, parent)
    measuring.names_known.connect(_offer)
    return measuring


def _measure(layer: Opaque, inputs: tuple[Shape, ...]) -> Opaque:
    load()
    from explorer.runtime.measure import measured

    return measured(layer, inputs)


def _module_names() -> tuple[str, ...]:
    """The classes of `torch.nn` that one layer can stand for and no layer here describes."""
    load()
    import torch

    from explorer.runtime.measure import module_class

    described = {cls.__name__ for cls in layer_types()}

    def fits(name: str) -> bool:
        try:
            module_class(name)
        except ValueError:
            return False
        return True

    # A loss takes a target beside its input, which no layer has.
    names = [name for name in sorted(dir(torch.nn)) if name not in described and not name.endswith("Loss")]
    return tuple(name for name in names if fits(name))


def _offer(names: object) -> None:
    assert isinstance(names, tuple)
    module = next(parameter for parameter in Opaque.hyper_parameters if parameter.name == "module")
    offer_words(module, names)
