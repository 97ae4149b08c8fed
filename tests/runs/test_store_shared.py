"""Two programs that write the same run store at once: all of both is there, and neither hears that it is locked."""

import subprocess
import sys
from pathlib import Path

from explorer.runs import RunStore

NUM_RUNS = 200
NUM_POINTS = 200

_WRITER = f"""
import sys
from pathlib import Path
import numpy as np
from explorer.runs import RunConfig, RunFinished, RunStore, StepsRecorded
def point(run_id, step):
    loss = np.array([step], np.float32)
    return StepsRecorded(run_id=run_id, first_step=step, losses=loss, accuracies=loss, learning_rate=0.1, epoch=1,
                         images_per_second=1.0, seconds_left=None, num_steps_total={NUM_POINTS})
def finished(run_id, step):
    return RunFinished(run_id=run_id, reason="completed", step=step, seconds=1.0, checkpoint=None, train_loss=None,
                       train_accuracy=None, test_accuracy=None, images_per_second=None)
with RunStore(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    input()
    long = store.create(RunConfig(), sys.argv[2], "{{}}", {{}}).run_id
    for number in range(1, {NUM_POINTS} + 1):
        store.record(point(long, number))
        if number < {NUM_RUNS}:
            run_id = store.create(RunConfig(seed=number), sys.argv[2], "{{}}", {{}}).run_id
            store.record(point(run_id, 1))
            store.record(finished(run_id, 1))
    store.record(finished(long, {NUM_POINTS}))
"""


def test_two_programs_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path / "runs"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("first", "second")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    with RunStore(tmp_path / "runs") as store:
        # A third program looks meanwhile, as the Runs tab does.
        while any(writer.poll() is None for writer in writers):
            store.list()
        errors = [writer.communicate(timeout=60)[1] for writer in writers]
        assert errors == ["", ""]
        assert [writer.returncode for writer in writers] == [0, 0]
        records = store.list()
        assert {record.state for record in records} == {"completed"}
        for name in ("first", "second"):
            own = [record for record in records if record.architecture_name == name]
            assert len(own) == NUM_RUNS
            (long,) = [record for record in own if record.step == NUM_POINTS]
            history = store.history(long.run_id)
            assert history.steps.tolist() == list(range(1, NUM_POINTS + 1))
            assert history.losses.tolist() == list(range(1, NUM_POINTS + 1))
            shorts = {record.config.seed for record in own if record is not long}
            assert shorts == set(range(1, NUM_RUNS))
            assert all(len(store.history(record.run_id).steps) == 1 for record in own if record is not long)
