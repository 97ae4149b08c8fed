"""`arch-explorer data`, and training on a folder, in this process."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explorer.cli import main
from explorer.training.data import loading
from explorer.training.data.places import DATA_VARIABLE
from tests.training.data_files import picture, picture_folder, write_idx


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which data sets are looked for."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def test_the_list_says_what_is_here(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_idx(root / "FashionMNIST" / "raw")
    assert main(["data", "--json"]) == 0
    found = {item["id"]: item for item in json.loads(capsys.readouterr().out)["data_sets"]}
    assert found["fashion-mnist"]["place"] == str(root / "FashionMNIST" / "raw")
    assert [name for name, item in found.items() if item["is_here"]] == ["digits", "fashion-mnist"]
    assert main(["data"]) == 0
    assert "to download, 163" in capsys.readouterr().out


def test_one_data_set_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture_folder(tmp_path / "shapes")
    (tmp_path / "shapes" / "red" / "a.txt").write_text("?")
    assert main(["data", "folder:shapes", "--input", "1x8x8", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["id"] == f"folder:{tmp_path / 'shapes'}"
    assert facts["classes"] == [{"name": n, "num_train": 8, "num_test": 2} for n in ("blue", "red")]
    assert facts["image_shape"] == [1, 8, 8]
    assert facts["problems"] == [{"path": "red/a.txt", "reason": "is no image", "is_skipped": True}]
    assert main(["data", "folder:shapes", "--input", "1x8x8"]) == 0
    assert "red/a.txt: is no image" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data", "mnits"], "data: received 'mnits'; use digits or "),
        (["data", "mnist"], "MNIST is not on this computer; download its 11 MB"),
        (["data", "--download"], "name the data set to fetch"),
        (["data", "digits", "--download"], "there is nothing to download for it"),
        (["data", "digits", "--input", "3x0x4"], "--input: received '3x0x4'"),
        (["data", "folder:nowhere"], "no such file or directory"),
    ],
)
def test_a_users_mistake_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_training_on_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture_folder(tmp_path / "shapes")
    arguments = ["train", "lenet5", "--data", "folder:shapes", "--epochs", "2", "--batch-size", "4", "--lr", "0.02"]
    assert main([*arguments, "--device", "cpu", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["test_accuracy"] == 1.0


def test_reading_a_folder_is_said_and_can_be_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, own_home: Path
) -> None:
    picture_folder(tmp_path / "shapes")
    assert main(["data", "folder:shapes", "--json"]) == 0
    assert "Decoding 1 of 20 images" in capsys.readouterr().err
    picture(tmp_path / "shapes" / "red" / "more.png")

    @contextlib.contextmanager
    def interrupted(stop: Callable[[], None]) -> Iterator[None]:
        stop()
        yield

    monkeypatch.setattr("explorer.cli.data.on_interrupt", interrupted)
    monkeypatch.setattr("explorer.cli.train.on_interrupt", interrupted)
    loading._kept.clear()
    assert main(["data", "folder:shapes"]) == 130
    assert main(["train", "lenet5", "--data", "folder:shapes", "--device", "cpu"]) == 130
    assert "stopped before the run began" in capsys.readouterr().err
    assert not list(own_home.rglob("*.sqlite"))
