"""One of the processes that `test_distributed_failures` starts: `arch-explorer train`, with a step that fails in one of
them, which then waits without end where it leaves the others, as NCCL's way of leaving may.

Arguments: the rank that fails, then those of the command.
"""

import os
import sys
import threading

from explorer.runtime import threads

threads.prepare()

import torch  # noqa: E402 - after what is prepared for it
import torch.distributed as dist  # noqa: E402
from torch import Tensor  # noqa: E402

from explorer.cli import main  # noqa: E402
from explorer.training import distributed_group  # noqa: E402
from explorer.training.step import Step  # noqa: E402

NUM_STEPS = 4
"""Made before it fails."""


def _break() -> None:
    usual, made = Step.__call__, list[None]()

    def fail(step: Step, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        # The steps on a copy, before the start, are no steps of the run.
        if step._ranks.size > 1:
            made.append(None)
        if len(made) > NUM_STEPS:
            raise LookupError("a kernel broke")
        return usual(step, x, target)

    setattr(Step, "__call__", fail)  # noqa: B010 - mypy takes no method for a value
    setattr(dist, "destroy_process_group", threading.Event().wait)  # noqa: B010


if __name__ == "__main__":
    rank, *arguments = sys.argv[1:]
    torch.set_num_threads(1)
    distributed_group._ALONE_S, distributed_group._PATIENCE_S = 0.1, 0.2
    if os.environ["RANK"] == rank:
        _break()
    sys.exit(main(arguments))
