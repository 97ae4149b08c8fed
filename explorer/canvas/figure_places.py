"""Where cards that a hand has moved on the canvas stand in a figure, whose cards are of another size.

A figure is laid out as the canvas is, but closer. What stands on a level or in a column with other cards on the screen
does so in the figure, and as many cards away from them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping

from PySide6.QtGui import QGuiApplication

from explorer.architecture import Architecture
from explorer.architecture.arranging import arranged
from explorer.architecture.folding import Shown
from explorer.architecture.placement import Placement, Point, lay_out
from explorer.canvas import card as cards


def like_on_screen(
    architecture: Architecture,
    on_screen: Shown,
    moved: Mapping[str, Point],
    in_figure: Placement,
    inside: Mapping[str, str],
) -> Placement:
    """A figure's placement with the cards where they are on the canvas.

    Args:
        on_screen: all that the canvas shows, of which the figure may be a part.
        moved: top left corners on the canvas of what a hand has moved.
        in_figure: the figure laid out, without those moves.
        inside: the open block around each item of the figure.
    """
    sizes = {key: _size(architecture, on_screen, key) for key in on_screen.items}
    automatic = lay_out(sizes, on_screen.links, on_screen.inside, on_screen.frames)
    now = arranged(automatic, moved, on_screen.inside)
    elsewhere = {key for key, box in now.nodes.items() if box != automatic.nodes[key]} & in_figure.nodes.keys()
    if not elsewhere:
        return in_figure
    centres = [(automatic.nodes[key].centre, box.centre) for key, box in in_figure.nodes.items()]
    key, box = next(iter(in_figure.nodes.items()))
    across = _Scale(((seen.x, drawn.x) for seen, drawn in centres), box.width / automatic.nodes[key].width)
    along = _Scale(((seen.y, drawn.y) for seen, drawn in centres), box.height / automatic.nodes[key].height)
    places = {}
    # What was moved comes first: should two come to lie over each other, it stays.
    for key in sorted(elsewhere, key=lambda key: key not in moved):
        centre, box = now.nodes[key].centre, in_figure.nodes[key]
        places[key] = Point(round(across(centre.x) - box.width / 2), round(along(centre.y) - box.height / 2))
    return arranged(in_figure, places, inside)


class _Scale:
    """One axis of the canvas on the figure: between the cards of both evenly, beyond them by the size of a card."""

    def __init__(self, pairs: Iterable[tuple[float, float]], beyond: float) -> None:
        """Take the places of the cards.

        Args:
            pairs: each card's on the canvas and in the figure.
            beyond: pixels of the figure a pixel of the canvas, where there is nothing to go by.
        """
        groups: dict[float, list[float]] = {}
        for seen, drawn in pairs:
            groups.setdefault(round(seen), []).append(drawn)
        self._seen = sorted(groups)
        self._drawn = _rising([sum(groups[key]) / len(groups[key]) for key in self._seen])
        self._beyond = beyond

    def __call__(self, seen: float) -> float:
        right = bisect_right(self._seen, seen)
        if right == 0:
            return self._drawn[0] + (seen - self._seen[0]) * self._beyond
        if right == len(self._seen):
            return self._drawn[-1] + (seen - self._seen[-1]) * self._beyond
        share = (seen - self._seen[right - 1]) / (self._seen[right] - self._seen[right - 1])
        return self._drawn[right - 1] + share * (self._drawn[right] - self._drawn[right - 1])


def _rising(values: list[float]) -> list[float]:
    """The values nearest to these that never fall: neighbours that do get their mean (pool adjacent violators)."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, m), (b, n) = pools[-2:]
            pools[-2:] = [((a * m + b * n) / (m + n), m + n)]
    return [mean for mean, count in pools for _ in range(count)]


def _size(architecture: Architecture, shown: Shown, key: str) -> tuple[float, float]:
    font = QGuiApplication.font().key()
    card = cards.block_card(font) if key in shown.folded else cards.card(type(architecture[key].layer), font)
    return card.rect.width(), card.rect.height()
