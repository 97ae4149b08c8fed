"""Kills short runs at random moments with `kill -9`, resumes each, and compares every loss with an unbroken run's.

    python -m tests.benchmarks.crashes [RUNS] [SEED]

Prints a line a run and ends with status 1 if a checkpoint was not whole or a loss differs in its last bit.
"""

import random
import sys
import tempfile
from pathlib import Path

from explorer.runs import RunControl, RunFinished, RunStore
from explorer.runs.checkpoints import newest_checkpoint
from explorer.runtime.weights import load_weights
from explorer.training.recorded import resume_recorded
from tests.training.test_resume import RECIPES, begin, kill_at, measured, small_digits, unbroken


def main(num_runs: int, seed: int) -> int:
    """Break and mend so many runs; how many of them were not as they should be."""
    small_digits()
    chance = random.Random(seed)
    num_wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        names = sorted(RECIPES)
        expected = {name: unbroken(RECIPES[name], Path(folder) / name) for name in names}
        for number in range(num_runs):
            name = names[number % len(names)]
            root = Path(folder) / "runs"
            with RunStore(root) as store:
                run_id = begin(store, RECIPES[name])
            seconds = kill_at(chance, root, run_id)
            with RunStore(root) as store:
                record = store.get(run_id)
                found = newest_checkpoint(record.folder)
                place = "before its first checkpoint" if found is None else f"after {found.name}"
                is_right = record.state in ("interrupted", "completed")
                if found is not None:
                    is_right &= bool(load_weights(record.weights_path))
                    if record.state == "interrupted":
                        result = resume_recorded(run_id, lambda _: None, RunControl(), root=store.root)
                        is_right &= isinstance(result, RunFinished)
                    is_right &= measured(store, run_id) == expected[name]
            num_wrong += not is_right
            print(
                f"{number + 1:3} {name:<10} killed after {seconds:5.2f} s, {place}: {'right' if is_right else 'WRONG'}"
            )
    print(f"seed {seed}: {num_runs - num_wrong} of {num_runs} right")
    return num_wrong


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:3]]
    sys.exit(bool(main(*(numbers + [50, 0][len(numbers) :]))))
