"""The light of what an edit has changed: on at once, fading, never flickering."""

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QAbstractAnimation, QObject, QVariantAnimation

from explorer.canvas.card_item import CardItem, Light

PULSE_MS = 400


class Pulse(QObject):
    """Lights cards up and lets them fade, all together.

    Attributes:
        glow: how brightly; the cards share it.
    """

    def __init__(self, redraw: Callable[[Sequence[CardItem]], None], parent: QObject) -> None:
        super().__init__(parent)
        self.glow = Light()
        self._redraw = redraw
        self._lit: set[CardItem] = set()
        self._fade = QVariantAnimation(self)
        self._fade.setStartValue(1.0)
        self._fade.setEndValue(0.0)
        self._fade.setDuration(PULSE_MS)
        self._fade.valueChanged.connect(self._show)
        self._fade.finished.connect(self._end)

    def light(self, cards: Iterable[CardItem]) -> None:
        """Light up; further changes keep it lit, so that nothing flickers while a value is typed or dragged."""
        wanted = set(cards)
        if not wanted:
            return
        self._fade.stop()
        before, self._lit = self._lit, wanted
        for card in before - wanted:
            card.set_lit(False)
        for card in wanted - before:
            card.set_lit(True)
        self._redraw(tuple(before - wanted))
        self._show(1.0)  # the animation reports its first value only if it differs from its last
        self._fade.start(QAbstractAnimation.DeletionPolicy.KeepWhenStopped)

    def forget(self, card: CardItem) -> None:
        """A card is gone."""
        self._lit.discard(card)

    def stop(self) -> None:
        """Nothing is lit any more."""
        self._fade.stop()
        self._lit = set()

    def _end(self) -> None:
        for card in self._lit:
            card.set_lit(False)
        self._lit = set()

    def _show(self, glow: float) -> None:
        self.glow.value = glow
        self._redraw(tuple(self._lit))
