"""Project files: read back identical, refused with reasons, never half written."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from explorer import zoo
from explorer.architecture import ArchitectureFileError, Project, edits, files
from tests.networks import branching


def plain() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files.dumps(Project(architecture=zoo.entry("lenet5").build())))
    return document


@pytest.mark.parametrize("network", [entry.id for entry in zoo.entries()])
def test_every_network_survives_its_file(network: str, tmp_path: Path) -> None:
    project = Project(architecture=zoo.entry(network).build(), sections={"training": {"epochs": 3}})
    path = tmp_path / "net.arch.json"
    files.save(project, path)
    assert files.load(path) == project


def test_blocks_and_outputs_survive(tmp_path: Path) -> None:
    project = Project(architecture=branching())
    files.save(project, tmp_path / "b.arch.json")
    assert files.load(tmp_path / "b.arch.json") == project


def test_broken_json_says_where() -> None:
    with pytest.raises(ArchitectureFileError, match=r"line 3, column 1: not valid JSON"):
        files.loads('{\n "format": \n')


@pytest.mark.parametrize("text", ["[]", "3", '{"format": "netron"}', "{}", '"arch-explorer"'])
def test_a_foreign_file_says_what_was_expected(text: str) -> None:
    with pytest.raises(ArchitectureFileError, match="not an Architecture Explorer project"):
        files.loads(text)


def test_a_newer_version_is_not_guessed_at() -> None:
    with pytest.raises(ArchitectureFileError, match=r"newer program \(file version 9; this one reads up to 1\)"):
        files.loads(json.dumps({**plain(), "version": 9}))


def test_an_unknown_layer_from_the_future_is_named() -> None:
    document = plain()
    document["architecture"]["nodes"][1]["layer"] = "Conv3d"
    with pytest.raises(ArchitectureFileError, match=r"conv1: unknown layer 'Conv3d'; did you mean Conv2d"):
        files.loads(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel_size": 0}, "conv1: Conv2d: kernel_size received 0"),
        ({"kernel_size": "5"}, "conv1: Conv2d: kernel_size received '5'"),
        ({"kernal_size": 5}, "conv1: Conv2d has no hyper-parameter 'kernal_size'"),
        ({"id": 7}, "nodes.1..id: expected a text, received 7"),
        ({"inputs": "input"}, "conv1.inputs: expected a list"),
        ({"inputs": ["nowhere"]}, "conv1 reads 'nowhere', which is not there"),
        ({"inputs": ["fc3"]}, "feed each other"),
        ({"inputs": []}, "Conv2d takes 1 inputs; received 0"),
    ],
)
def test_a_wrong_node_says_which_and_why(change: dict[str, object], message: str) -> None:
    document = plain()
    document["architecture"]["nodes"][1].update(change)
    with pytest.raises(ArchitectureFileError, match=message):
        files.loads(json.dumps(document))


def test_an_id_that_is_none_is_refused() -> None:
    document = plain()
    document["architecture"]["nodes"][-1]["id"] = "fc 3"
    document["architecture"]["outputs"] = ["fc 3"]
    with pytest.raises(ArchitectureFileError, match="'fc 3' is no id"):
        files.loads(json.dumps(document))


def test_a_missing_value_is_named() -> None:
    document = plain()
    del document["architecture"]["nodes"][1]["kernel_size"]
    with pytest.raises(ArchitectureFileError, match="conv1: Conv2d lacks kernel_size"):
        files.loads(json.dumps(document))


@pytest.mark.parametrize("value", [None, [], "x", {"nodes": 3}, {"name": "x", "nodes": [], "outputs": []}])
def test_a_section_of_the_wrong_kind_is_refused(value: object) -> None:
    with pytest.raises(ArchitectureFileError):
        files.loads(json.dumps({**plain(), "architecture": value}))


def test_binary_missing_and_huge_files_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "image.arch.json"
    binary.write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(ArchitectureFileError, match=r"image.arch.json: not a text file"):
        files.load(binary)
    with pytest.raises(ArchitectureFileError, match="No such file"):
        files.load(tmp_path / "none.arch.json")
    with pytest.raises(ArchitectureFileError):
        files.load(tmp_path)
    deep = tmp_path / "deep.arch.json"
    deep.write_text("[" * 200_000)
    with pytest.raises(ArchitectureFileError, match="nested too deeply"):
        files.load(deep)


def test_a_failed_save_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.arch.json"
    project = Project(architecture=zoo.entry("lenet5").build())
    files.save(project, path)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.save(Project(architecture=branching()), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


_SAVER = """
import sys
from pathlib import Path
from explorer import zoo
from explorer.architecture import Project, edits, files
net = zoo.entry("lenet5").build()
path = Path(sys.argv[1])
print("ready", flush=True)
width = 1
while True:
    width = width % 512 + 1
    files.save(Project(architecture=edits.set_value(net, "fc1", "out_features", width)), path)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill is not a crash there")
def test_a_process_killed_while_saving_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "net.arch.json"
    original = zoo.entry("lenet5").build()
    for pause_ms in (3, 11, 17, 29):
        files.save(Project(architecture=original), path)
        with subprocess.Popen([sys.executable, "-c", _SAVER, str(path)], stdout=subprocess.PIPE, text=True) as saver:
            assert saver.stdout is not None
            assert saver.stdout.readline() == "ready\n"
            deadline = time.monotonic() + pause_ms / 1000
            while time.monotonic() < deadline:
                files.load(path)
            saver.kill()
        read = files.load(path).architecture
        assert edits.set_layer(read, "fc1", original["fc1"].layer) == original
