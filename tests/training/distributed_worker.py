"""One of the processes that the tests of distributed training start: recorded runs on few digits, one after the other.

Arguments: the store's folder, and for each run the network (`norms` or one of the catalogue), the configuration as JSON
and a port. The first process says each run's id on standard output.
"""

import dataclasses
import json
import os
import sys
from pathlib import Path

from explorer.runtime import threads

threads.prepare()

import torch  # noqa: E402 - after what is prepared for it

from explorer import zoo  # noqa: E402
from explorer.architecture import Architecture  # noqa: E402
from explorer.runs import RunConfig, RunControl, RunFailed  # noqa: E402
from explorer.training.data import load_data, loading  # noqa: E402
from explorer.training.distributed import is_first  # noqa: E402
from explorer.training.distributed_run import take_part  # noqa: E402
from explorer.training.recorded import train_recorded  # noqa: E402
from tests.networks import branching  # noqa: E402

NUM_IMAGES = 150


def network(name: str) -> Architecture:
    return branching(1, 12) if name == "norms" else zoo.entry(name).build()


def keep_few_digits() -> None:
    full = load_data("digits")
    names = ("train_images", "train_labels", "test_images", "test_labels")
    few = dataclasses.replace(full, **{name: getattr(full, name)[:NUM_IMAGES] for name in names})
    for key in [key for key in loading._kept if key[0] == "digits"]:
        loading._kept[key] = few


def main() -> int:
    root, *jobs = sys.argv[1:]
    torch.set_num_threads(1)
    keep_few_digits()
    for name, plain, port in zip(jobs[::3], jobs[1::3], jobs[2::3], strict=True):
        os.environ["MASTER_PORT"] = port
        if is_first():
            config = RunConfig.from_plain(json.loads(plain))
            result = train_recorded(network(name), config, lambda _: None, RunControl(), root=Path(root))
        else:
            result = take_part()
        if isinstance(result, RunFailed):
            print(result.message, result.details, file=sys.stderr)
            return 1
        print(result.run_id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
