"""How a run is heard: each event goes to the store and to whoever listens, and neither can break the run."""

import logging
import time
from collections.abc import Callable

from explorer.runs import Event, RunFailed, RunFinished, RunStore, RunStoreError, TroubleMet

_logger = logging.getLogger(__name__)
_RETRY_S = 20.0
"""A store that another program holds is waited for by each try; so often a run may stand still for it."""
_MOST_WAITING = 20_000
"""Events that wait for the store; a run that could not be recorded for hours goes on without the oldest."""


class Voice:
    """Says events. What the store refuses is said to it again later, in order: a moment's trouble loses nothing."""

    def __init__(
        self, emit: Callable[[Event], None], store: RunStore | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._emit = emit
        self._store = store
        self._clock = clock
        self._waiting: list[Event] = []
        self._retry_s: float | None = None
        self._is_unheard = False

    def say(self, event: Event) -> None:
        """Record an event and hand it on."""
        self._record(event)
        self._hand_on(event)

    def _record(self, event: Event) -> None:
        if self._store is None:
            return
        self._waiting.append(event)
        del self._waiting[:-_MOST_WAITING]
        is_last = isinstance(event, (RunFinished, RunFailed))
        if self._retry_s is not None and self._clock() < self._retry_s and not is_last:
            return
        try:
            while self._waiting:
                self._store.record(self._waiting[0])
                del self._waiting[0]
        except RunStoreError as error:
            if self._retry_s is None:
                _logger.info("the run is not recorded: %s", error)
                lost = "the end of it is lost" if is_last else "what is measured is kept in memory until it can be"
                self._hand_on(TroubleMet(run_id=event.run_id, message=f"The run cannot be recorded: {error}; {lost}"))
            self._retry_s = self._clock() + _RETRY_S
        else:
            self._retry_s = None

    def _hand_on(self, event: Event) -> None:
        try:
            self._emit(event)
        except Exception as error:
            if not self._is_unheard:
                self._is_unheard = True
                _logger.warning("nobody hears the run: %r", error)
