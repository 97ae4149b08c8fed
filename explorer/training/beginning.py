"""The weights that a run began with: which they were is kept in its folder, and any layer's are made again from that.

A layer's fresh weights follow from the seed, its name and its shape, so that nothing has to be copied when a run
begins. Where it began from a file, that file is read again as long as it is the same.
"""

import contextlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from explorer.architecture.files import write_atomically
from explorer.layers import ModuleCall
from explorer.runs import RunConfig
from explorer.runtime.modules import Network, build_node
from explorer.runtime.weights import carry_node, load_weights
from explorer.training.initialization import initialize_node

_FILE = "beginning.json"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """How the weights of a run came to be."""

    seed: int
    init: str
    """As `RunConfig.init`."""
    weights: str | None
    """The file that it started from; None for fresh weights."""
    size: int = 0
    """Bytes of that file, and when it was written: another file of the same name tells nothing of the run."""
    written_ns: int = 0

    def parameters(self, network: Network, node_id: str) -> Mapping[str, Tensor] | None:
        """A node's parameters before the first update, on the CPU, by their names within it; None where they are not
        known any more, or it has none.

        Args:
            network: the run's, or another version of it; only how it calls its nodes is read.
            node_id: of its nodes.
        """
        call = network.calls.get(node_id)
        if not isinstance(call, ModuleCall):
            return None
        module = build_node(node_id, call, self.seed)
        initialize_node(node_id, module, self.init, self.seed)
        if self.weights is not None:
            path = Path(self.weights)
            try:
                if _identity(path) != (self.size, self.written_ns):
                    return None
                carry_node(load_weights(path, f"{node_id}."), node_id, module)
            except (OSError, ValueError) as error:
                _logger.info("the weights of %s before the run cannot be read: %s", node_id, error)
                return None
        return dict(module.named_parameters())


def begin(config: RunConfig, initial_weights: Path | None) -> Beginning:
    """What a run with this configuration begins with.

    Raises:
        OSError: the file cannot be looked at.
    """
    if initial_weights is None:
        return Beginning(seed=config.seed, init=config.init, weights=None)
    size, written_ns = _identity(initial_weights)
    path = str(initial_weights.absolute())
    return Beginning(seed=config.seed, init=config.init, weights=path, size=size, written_ns=written_ns)


def keep_beginning(beginning: Beginning, folder: Path) -> None:
    """Write it into a run's folder. Where that cannot be, a resumed run will not know it."""
    with contextlib.suppress(OSError):
        write_atomically(folder / _FILE, json.dumps(asdict(beginning)).encode())


def kept_beginning(folder: Path) -> Beginning | None:
    """What the run in a folder began with; None where that is not known, as for runs of earlier versions."""
    try:
        plain = json.loads((folder / _FILE).read_bytes())
        return Beginning(**plain)
    except (OSError, ValueError, TypeError):
        return None


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
