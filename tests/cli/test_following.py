"""`arch-explorer runs --follow` on the folder of a run that was trained here."""

import json
from pathlib import Path

import pytest

from explorer import zoo
from explorer.cli import main
from explorer.runs import EpochFinished, Event, RunConfig, RunControl, default_root
from explorer.runs.follow_journal import JOURNAL_NAME
from explorer.training.recorded import train_recorded


def trained() -> tuple[Path, list[Event]]:
    events: list[Event] = []
    config = RunConfig(epochs=1, batch_size=500, device="cpu")
    result = train_recorded(zoo.entry("lenet5").build(), config, events.append, RunControl())
    return default_root() / result.run_id, events


def test_a_run_is_followed_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    folder, events = trained()
    (epoch,) = [event for event in events if isinstance(event, EpochFinished)]
    assert main(["runs", "--follow", str(folder), "--json"]) == 0
    shown = capsys.readouterr()
    plain = json.loads(shown.out)
    assert (plain["state"], plain["step"], plain["epoch"]) == ("completed", 8, 1)
    assert plain["test_accuracy"] == epoch.test_accuracy
    assert "epoch 1/1" in shown.err
    assert main(["runs", "--follow", folder.name]) == 0
    assert "completed after step 8" in capsys.readouterr().out


def test_a_run_that_died_is_said_to_have(capsys: pytest.CaptureFixture[str]) -> None:
    folder, _ = trained()
    path = folder / JOURNAL_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    assert main(["runs", "--follow", str(folder)]) == 1
    assert "ended without a word" in capsys.readouterr().out


@pytest.mark.parametrize("target", ["nowhere", "."])
def test_what_is_no_run_is_the_users_mistake(
    target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["runs", "--follow", target]) == 2
    assert "error:" in capsys.readouterr().err


def test_a_folder_that_cannot_be_looked_into_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    target = "x" * 300  # longer than a name may be
    assert main(["runs", "--follow", target]) == 2
    said = capsys.readouterr().err
    assert "cannot be looked into: File name too long; name a folder that may be read" in said
