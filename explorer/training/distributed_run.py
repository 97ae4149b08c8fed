"""What the processes beside the first one do: they take its word for what is trained, and train with it.

They read no options, keep no record and say nothing; the first one is `recorded`'s.
"""

from typing import NamedTuple

from explorer.architecture import Architecture, Project, files
from explorer.runs import Event, RunConfig, RunControl, RunFailed, RunFinished
from explorer.runs.data_sources import folder_of
from explorer.training.data import data_states
from explorer.training.data.fetch import fetch_data
from explorer.training.distributed import Alone, joined
from explorer.training.loop import train


class Orders(NamedTuple):
    """What all train."""

    architecture: str
    """As a project's file has it."""
    config: RunConfig
    resume: bool


def give_orders(ranks: Alone, architecture: Architecture, config: RunConfig, *, resume: bool) -> None:
    """Tell the others what is trained; they begin then."""
    if ranks.size > 1:
        ranks.from_first(Orders(files.dumps(Project(architecture=architecture)), config, resume))


def take_part() -> RunFinished | RunFailed:
    """Train with the others until the end, in a process that is not the first.

    Raises:
        ValueError: the environment does not say who they are, or the data set cannot be had on this machine.
    """
    control = RunControl()
    with joined(control, lambda _why: None) as ranks:
        orders: Orders | None = ranks.from_first(None)
        assert orders is not None
        config = orders.config
        if ranks.is_first_here and folder_of(config.data) is None and not _is_here(config.data):
            # The first process fetched it for its own machine.
            fetch_data(config.data, lambda _text, _done, _total: None, lambda: False)
        return train(
            files.loads(orders.architecture).architecture,
            config,
            _hear_nothing,
            control,
            run_id="",
            resume=orders.resume,
            ranks=ranks,
        )


def _is_here(name: str) -> bool:
    return any(state.name == name and state.is_here for state in data_states())


def _hear_nothing(_event: Event) -> None:
    pass
