"""One of the processes that the tests of distributed training start: recorded runs on few digits, one after the other.

Arguments: the store's folder, and for each run the network (`norms` or one of the catalogue), the configuration as
JSON, a port, and another port where the run is to be stopped in its first epoch and to go on from there. The first
process says each run's id on standard output.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from explorer.runtime import threads

threads.prepare()

import torch  # noqa: E402 - after what is prepared for it

from explorer import zoo  # noqa: E402
from explorer.architecture import Architecture  # noqa: E402
from explorer.runs import Event, RunConfig, RunControl, RunFailed, RunFinished, StepsRecorded  # noqa: E402
from explorer.training.data import load_data, loading  # noqa: E402
from explorer.training.distributed import is_first  # noqa: E402
from explorer.training.distributed_run import take_part  # noqa: E402
from explorer.training.recorded import resume_recorded, train_recorded  # noqa: E402
from tests.networks import branching  # noqa: E402

NUM_IMAGES = 150
_TRIAL_S = 0.1
"""How long one process is measured alone; a user's run takes more."""


def network(name: str) -> Architecture:
    return branching(1, 12) if name == "norms" else zoo.entry(name).build()


def keep_few_digits() -> None:
    full = load_data("digits")
    names = ("train_images", "train_labels", "test_images", "test_labels")
    few = dataclasses.replace(full, **{name: getattr(full, name)[:NUM_IMAGES] for name in names})
    for key in [key for key in loading._kept if key[0] == "digits"]:
        loading._kept[key] = few


def _together(port: str, train: Callable[[], RunFinished | RunFailed]) -> str:
    """The id of a run that the first process begins by `train`; empty in the others."""
    os.environ["MASTER_PORT"] = port
    result = train() if is_first() else take_part()
    if isinstance(result, RunFailed):
        print(result.message, result.details, file=sys.stderr)
        sys.exit(1)
    return result.run_id


def _stop(control: RunControl, event: Event) -> None:
    if isinstance(event, StepsRecorded):
        control.stop()


def _ignore(_event: Event) -> None:
    pass


def main() -> int:
    root, *jobs = sys.argv[1:]
    torch.set_num_threads(1)
    keep_few_digits()
    from explorer.training import distributed_group

    distributed_group._ALONE_S = _TRIAL_S
    for name, plain, port, second_port in zip(*(jobs[i::4] for i in range(4)), strict=True):
        config, control = RunConfig.from_plain(json.loads(plain)), RunControl()
        hear = partial(_stop, control) if second_port else _ignore
        architecture = network(name)
        run_id = _together(port, partial(train_recorded, architecture, config, hear, control, root=Path(root)))
        if second_port:
            _together(second_port, partial(resume_recorded, run_id, _ignore, RunControl(), root=Path(root)))
        print(run_id, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
