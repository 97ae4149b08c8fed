"""A data set's numbers as lines of text."""

from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from explorer.look import numbers
from explorer.runs.data_facts import DataFacts


class FactRow(NamedTuple):
    """One line: what it is, and its value."""

    title: str
    value: str
    tip: str = ""
    is_fault: bool = False


def fact_rows(facts: DataFacts) -> list[FactRow]:
    """The lines, the most asked for first; at most eight."""
    count = numbers.exact_count
    images = _tr("{train} for training, {test} for tests").format(
        train=count(facts.num_train), test=count(facts.num_test)
    )
    rows = [
        FactRow(_tr("Images"), images),
        FactRow(_tr("Classes"), count(len(facts.class_names))),
        FactRow(_tr("Size"), _sizes(facts), _all_sizes(facts)),
        FactRow(_tr("Mean"), _values(facts.mean), _tr("Of each channel of the training images; pixels from 0 to 1")),
        FactRow(_tr("Deviation"), _values(facts.std), _tr("Standard deviation of each channel, likewise")),
        FactRow(
            _tr("In memory"),
            numbers.short_bytes(facts.num_bytes),
            _tr("Fingerprint of images and labels (SHA-256): {0}").format(facts.fingerprint),
        ),
    ]
    if facts.input_problem:
        rows.append(FactRow(_tr("Network"), f"{facts.input_problem[0].upper()}{facts.input_problem[1:]}.", "", True))
    elif facts.input_notes:
        rows.append(FactRow(_tr("Network"), " ".join(facts.input_notes)))
    else:
        rows.append(FactRow(_tr("Network"), _tr("Takes the images as they are.")))
    return rows


def _sizes(facts: DataFacts) -> str:
    channels = facts.image_shape[0]
    colour = _tr("grey") if channels == 1 else _tr("colour") if channels == 3 else f"{channels}"
    first = facts.sizes[0]
    commonest = numbers.pair((first.height, first.width))
    if len(facts.sizes) == 1:
        return f"{commonest}, {colour}"
    areas = sorted(facts.sizes, key=lambda size: size.height * size.width)
    return _tr("{smallest} to {largest}, mostly {commonest}").format(
        smallest=numbers.pair((areas[0].height, areas[0].width)),
        largest=numbers.pair((areas[-1].height, areas[-1].width)),
        commonest=commonest,
    )


def _all_sizes(facts: DataFacts) -> str:
    if len(facts.sizes) == 1:
        return ""
    lines = [f"{size.height}×{size.width}: {numbers.exact_count(size.num_images)}" for size in facts.sizes[:12]]
    if len(facts.sizes) > 12:
        lines.append(_tr("and {0} more sizes").format(len(facts.sizes) - 12))
    return "\n".join([_tr("Height and width, and how many images have them:"), *lines])


def _values(values: tuple[float, ...]) -> str:
    return "  ".join(f"{value:.3f}" for value in values)


def _tr(text: str) -> str:
    return QCoreApplication.translate("DataFacts", text)
