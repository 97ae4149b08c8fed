"""The weights of a run on the disk: replaced as a whole, so that the last whole ones survive whatever happens."""

import logging
from pathlib import Path

from explorer.runs import WeightsFacts
from explorer.runtime.modules import Network
from explorer.runtime.weights import save_weights

_logger = logging.getLogger(__name__)


class Checkpoint:
    """Writes the weights of one run to one path."""

    def __init__(self, path: Path | None) -> None:
        """Write to `path`; None keeps nothing."""
        self._path = path
        self._saved_step: int | None = None
        self.facts: WeightsFacts | None = None
        """What goes with the weights: whoever uses them prepares images as the run did."""

    @property
    def saved(self) -> str | None:
        """The path, once whole weights lie there."""
        return None if self._saved_step is None else str(self._path)

    def save(self, network: Network, step: int) -> OSError | None:
        """Write the weights after `step` unless they are there already.

        Returns:
            Why they could not be written; the last whole ones are untouched then.
        """
        if self._path is None or step == self._saved_step:
            return None
        try:
            save_weights(network, self._path, self.facts)
        except OSError as error:
            _logger.warning("the weights after step %d could not be written: %s", step, error)
            return error
        self._saved_step = step
        return None
