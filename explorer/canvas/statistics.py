"""What a layer's statistics say on the canvas: as a number to colour by, and in words where it is bad. No Qt widgets.

Where they are measured is `explorer.runtime.statistics`; what is known of them now `session.layer_statistics`.
"""

import math
from collections.abc import Iterable, Mapping

from PySide6.QtCore import QCoreApplication

from explorer.canvas.measures import NodeValues
from explorer.layers import Shape
from explorer.look import numbers
from explorer.session import Snapshot
from explorer.session.layer_statistics import KEYS, KnownStatistics, value_of

RATIO_ENDS = (1e-5, 1e-1)
"""Two powers of ten on each side of what is usual."""
LEAST_RATIO, MOST_RATIO = 3e-5, 3e-2
"""What an update usually changes of the weights lies well within."""
MUCH_SATURATED = 0.25


def _tr(text: str) -> str:
    return QCoreApplication.translate("Statistics", text)


def titles() -> Mapping[str, str]:
    """What each is called, by its key."""
    return {
        "gradient": _tr("Gradient norm"),
        "ratio": _tr("Update / weight"),
        "dead": _tr("Dead channels"),
        "saturated": _tr("Saturated values"),
        "change": _tr("Change since start"),
    }


def statistics_values(key: str, known: KnownStatistics | None, snapshot: Snapshot) -> NodeValues:
    """A number of every layer that has one, and what the legend says of it.

    A block's gradient norm and its update ratio are those of all its weights together; its shares are those of all its
    channels or values; its change is the largest of its layers.

    Args:
        key: one of `KEYS`.
        known: what was measured; None for nothing yet.
        snapshot: the network on screen, which may have been edited since.
    """
    title = titles()[key]
    shapes = _shapes(snapshot)
    layers = {} if known is None else {i: layer for i, layer in known.layers.items() if shapes.get(i)}
    values = {i: value for i, layer in layers.items() if (value := value_of(key, layer)) is not None}
    images = "" if known is None else _tr("{} images").format(known.num_images)
    note = "" if known is None else f"{known.source.text} · {images}"
    if key == "gradient":
        return NodeValues(
            title=title,
            unit="scientific",
            values=values,
            is_written=True,
            is_log=True,
            is_norm=True,
            ends=_decades(values.values()),
            note="" if known is None or known.gradient_source is None else known.gradient_source.text,
            nothing="" if values else _not_yet(known),
            help=_tr(
                "How strongly the loss pulls at each layer: the norm of the gradient of its weights, in one step.\n\n"
                "Where it falls by orders of magnitude towards the input, gradients vanish, and the first layers "
                "hardly learn. Where it grows from step to step, they explode."
            ),
        )
    if key == "ratio":
        return NodeValues(
            title=title,
            unit="scientific",
            values=values,
            is_written=True,
            is_log=True,
            is_norm=True,
            weights={i: layers[i].weight_norm or 0.0 for i in values},
            ends=RATIO_ENDS,
            is_around_middle=True,
            note="" if known is None or known.ratio_source is None else known.ratio_source.text,
            nothing="" if values else _not_yet(known),
            help=_tr(
                "How much one update changes a layer: the norm of the change over the norm of its weights.\n\n"
                "About 10⁻³ is usual, a thousandth. A hundredth and more: the learning rate may be too high. "
                "10⁻⁵ and less: it may be too low, or hardly any gradient arrives."
            ),
        )
    if key == "change":
        return NodeValues(
            title=title,
            unit="percent",
            values=values,
            adds_up=False,
            is_written=True,
            ends=_whole_tens(values.values()),
            has_zero=True,
            note="" if known is None else known.source.text,
            nothing="" if values else _tr("measured soon") if known is None else _tr("not known how it began"),
            help=_tr(
                "How far training has taken each layer: the norm of what all updates changed of its weights, over "
                "their norm before the first one.\n\n"
                "At 100 % the change is as large as the weights were. A layer near 0 % still is what chance made of "
                "it. A folded block shows its layer that changed most."
            ),
        )
    if key == "dead":
        return NodeValues(
            title=title,
            unit="share",
            values=values,
            is_written=True,
            weights={i: float(shape[0]) for i, shape in shapes.items() if shape},
            ends=(0.0, 1.0),
            has_zero=True,
            note=note,
            nothing=_tr("measured soon") if known is None else _tr("no ReLU or the like"),
            help=_tr(
                "Share of a ReLU's channels that are 0 at every place, for every one of the images it was tried on.\n\n"
                "They tell the next layer nothing, and as no gradient passes through them, they hardly come back to "
                "life. A few are common; many come of a learning rate that was too high, or of bad first weights."
            ),
        )
    return NodeValues(
        title=title,
        unit="share",
        values=values,
        is_written=True,
        weights={i: float(math.prod(shape)) for i, shape in shapes.items() if shape},
        ends=(0.0, 1.0),
        has_zero=True,
        note=note,
        nothing=_tr("measured soon") if known is None else _tr("no tanh or sigmoid"),
        help=_tr(
            "Share of the values of a tanh or sigmoid that lie within 1 % of the ends of its range.\n\n"
            "The function is flat there, so that hardly any gradient passes to the layers before it."
        ),
    )


def told(values: Mapping[str, NodeValues], node_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Rows of a story: what is known of a node, or of a block's nodes together.

    Args:
        values: by key, as `statistics_values` gives them.
        node_ids: the nodes.
    """
    ids = tuple(node_ids)
    rows: list[tuple[str, str]] = []
    notes: list[str] = []
    for key in KEYS:
        found = values[key].of(ids) if key in values else None
        if found is not None:
            rows.append((values[key].title.lower(), values[key].written(found)))
            notes.append(values[key].note)
    if rows:
        rows.append((_tr("measured"), ", ".join(dict.fromkeys(notes))))
    return rows


def trouble(values: Mapping[str, NodeValues], node_ids: Iterable[str], num_images: int) -> list[str]:
    """What is bad about them, a sentence each.

    Args:
        values: by key, as `statistics_values` gives them.
        node_ids: a node, or a block's.
        num_images: that activations were measured on.
    """
    ids = tuple(node_ids)
    found = {key: own.of(ids) for key, own in values.items()}
    gradient, ratio, dead, saturated = (found.get(key) for key in ("gradient", "ratio", "dead", "saturated"))
    sentences = []
    if dead:
        text = _tr("{share} of the channels are dead: 0 for all {count} images.")
        sentences.append(text.format(share=numbers.rough_share(dead), count=numbers.exact_count(num_images)))
    if saturated is not None and saturated >= MUCH_SATURATED:
        text = _tr("{share} of the values are saturated: where the function is flat, and hardly any gradient passes.")
        sentences.append(text.format(share=numbers.rough_share(saturated)))
    if gradient == 0:
        sentences.append(_tr("No gradient arrives: nothing is learned here."))
    if ratio is not None and ratio > MOST_RATIO:
        text = _tr("An update changes {share} of the weights' size; the learning rate may be too high.")
        sentences.append(text.format(share=numbers.rough_share(ratio)))
    elif ratio is not None and 0 < ratio < LEAST_RATIO:
        text = _tr("An update changes {ratio} of the weights' size, where 10⁻³ is usual: this hardly learns.")
        sentences.append(text.format(ratio=numbers.scientific(ratio)))
    return sentences


def _not_yet(known: KnownStatistics | None) -> str:
    return _tr("measured soon") if known is None else _tr("train to measure it")


def _decades(values: Iterable[float]) -> tuple[float, float] | None:
    """The powers of ten around all values that are not 0: ends that stay while values change a little."""
    known = [value for value in values if value > 0]
    if not known:
        return None
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    return (10.0**low, 10.0 ** max(high, low + 1))


def _whole_tens(values: Iterable[float]) -> tuple[float, float] | None:
    """From 0 to a round share at or above the largest: ends that stay while values change a little."""
    most = max(values, default=0.0)
    if not math.isfinite(most) or most <= 0:
        return (0.0, 0.1) if most == 0 else None
    power = 10.0 ** math.floor(math.log10(most))
    return (0.0, next(step * power for step in (1, 2, 5, 10) if step * power >= most * (1 - 1e-9)))


def _shapes(snapshot: Snapshot) -> dict[str, Shape | None]:
    """What each node puts out."""
    index, columns = snapshot.architecture.structure.index, snapshot.inference.nodes
    return {node_id: own.output for node_id, own in zip(index, columns.numbers, strict=True)}
