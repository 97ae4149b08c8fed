"""`arch-explorer runs` and `train --resume`, in this process; a killed one is in tests/training."""

import json
from typing import Any

import pytest

from explorer import zoo
from explorer.architecture import Project, files
from explorer.cli import main
from explorer.runs import EpochFinished, Event, RunConfig, RunControl, RunStore, default_root
from explorer.training import train

Output = pytest.CaptureFixture[str]


def answered(capsys: Output, *arguments: str) -> Any:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: Output, *arguments: str) -> str:
    assert main([*arguments]) == 2
    return capsys.readouterr().err


def stopped() -> str:
    """A run of two epochs that was stopped after the first; its id."""
    network, config, control = (
        zoo.entry("lenet5").build(),
        RunConfig(epochs=2, batch_size=500, device="cpu"),
        RunControl(),
    )

    def stop(event: Event) -> None:
        if isinstance(event, EpochFinished):
            control.stop()

    with RunStore(default_root()) as store:
        run_id = store.create(config, network.name, files.dumps(Project(architecture=network)), {}).run_id
        train(network, config, stop, control, run_id=run_id, store=store)
    return run_id


def test_without_runs_it_says_how_to_get_one(capsys: Output) -> None:
    assert answered(capsys, "runs") == {"runs": []}
    assert main(["runs"]) == 0
    assert "no run is kept yet" in capsys.readouterr().out
    assert main(["runs", "--trash"]) == 0
    assert "the trash is empty" in capsys.readouterr().out


def test_runs_are_listed_shown_and_resumed(capsys: Output) -> None:
    run_id = stopped()
    (listed,) = answered(capsys, "runs")["runs"]
    assert (listed["run_id"], listed["state"], listed["epoch"], listed["step"]) == (run_id, "stopped", 1, 8)
    assert listed["config"]["batch_size"] == 500
    assert listed["best_accuracy"] == listed["test_accuracy"]
    assert main(["runs"]) == 0
    table = capsys.readouterr().out
    assert run_id in table
    assert "1/2" in table
    assert main(["runs", run_id[:15]]) == 0
    details = capsys.readouterr().out
    assert "settings other than usual: epochs 2, batch size 500" in details
    assert f"train --resume {run_id}" in details
    result = answered(capsys, "train", "--resume", run_id[:15])
    assert result["run_id"] == run_id
    assert [epoch["epoch"] for epoch in result["history"]] == [1, 2]
    shown = answered(capsys, "runs", run_id)
    assert (shown["state"], shown["epoch"]) == ("completed", 2)
    assert [epoch["step"] for epoch in shown["history"]] == [8, 16]
    assert "is complete" in refused(capsys, "train", "--resume", run_id)


def test_a_run_goes_on_with_another_learning_rate(capsys: Output) -> None:
    run_id = stopped()
    assert main(["train", "--resume", run_id, "--lr", "0.005"]) == 0
    with RunStore(default_root()) as store:
        rates = store.history(run_id).learning_rates.tolist()
    assert rates[:8] == pytest.approx([0.02] * 8)
    assert rates[8:] == pytest.approx([0.005] * 8)


def test_mistakes_say_what_fits(capsys: Output) -> None:
    run_id = stopped()
    assert "received --epochs, lenet5 as well" in refused(
        capsys, "train", "lenet5", "--resume", run_id, "--epochs", "3"
    )
    assert "--lr: received 'fast'" in refused(capsys, "train", "--resume", run_id, "--lr", "fast")
    assert run_id in refused(capsys, "train", "--resume", "19990101-000000-0000")
    assert "unknown" in refused(capsys, "runs", "nothing")
    assert "received no network" in refused(capsys, "train")


def test_the_trash_is_listed_apart(capsys: Output) -> None:
    run_id = stopped()
    with RunStore(default_root()) as store:
        store.trash(run_id)
    assert answered(capsys, "runs") == {"runs": []}
    (listed,) = answered(capsys, "runs", "--trash")["runs"]
    assert listed["trashed"] is not None
    assert answered(capsys, "runs", run_id)["run_id"] == run_id


def test_a_run_goes_on_elsewhere_only_on_a_device_that_can_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--resume", "20261122-101500-3f2a", "--device", "tpu"]) == 2
    assert "--device: received 'tpu'; use auto or cpu" in capsys.readouterr().err
    # A device alone is not refused: what is missing here is the run.
    assert main(["train", "--resume", "20261122-101500-3f2a", "--device", "cpu"]) == 2
    assert "20261122-101500-3f2a" in capsys.readouterr().err
