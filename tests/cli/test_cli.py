"""The command line: in this process for its answers, in real ones for what only a process shows."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import torchinfo

from explorer import __version__
from explorer.architecture import Project, edits
from explorer.architecture.files import save
from explorer.cli import main
from explorer.cli.progress import Progress, clock
from explorer.runs import RunConfig, RunControl, RunStore, default_root
from explorer.runtime.modules import build_module
from explorer.training import train
from explorer.zoo import entries, entry
from tests.networks import branching

ROOT = Path(__file__).parents[2]
Output = pytest.CaptureFixture[str]


def answered(capsys: Output, *arguments: str) -> Any:
    """The object that `--json` prints, and nothing beside it."""
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: Output, *arguments: str) -> str:
    """The one line that a mistake is answered with."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("arch-explorer: error: ")
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    return captured.err


def command(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "explorer", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        **options,
    )


# list


def test_list_has_every_network(capsys: Output) -> None:
    networks = answered(capsys, "list")["networks"]
    assert [item["id"] for item in networks] == [item.id for item in entries()]
    lenet5 = next(item for item in networks if item["id"] == "lenet5")
    assert lenet5 == {
        "id": "lenet5",
        "title": "LeNet-5",
        "family": "LeNet",
        "year": 1998,
        "num_parameters": 61706,
        "macs": 416520,
        "input": [1, 32, 32],
        "has_pretrained": False,
    }
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(entries())
    assert all(item.id in "\n".join(lines) for item in entries())


# summary


def test_summary_agrees_with_torchinfo(capsys: Output) -> None:
    summary = answered(capsys, "summary", "lenet5", "--batch-size", "8")
    assert list(summary) == ["name", "input", "nodes", "totals", "memory"]
    assert (summary["name"], summary["input"]) == ("LeNet-5", [1, 32, 32])
    oracle = torchinfo.summary(build_module(entry("lenet5").build()), (1, 1, 32, 32), verbose=0)
    assert summary["totals"]["num_parameters"] == oracle.total_params
    # torchinfo counts one multiply-accumulate for each bias too.
    assert summary["totals"]["macs"] == 416520
    conv1 = summary["nodes"][1]
    assert conv1 == {
        "id": "conv1",
        "layer": "Conv2d",
        "inputs": ["input"],
        "output_shape": [6, 28, 28],
        "num_parameters": 156,
        "num_buffers": 0,
        "macs": 117600,
        "output_bytes": 8 * 6 * 28 * 28 * 4,
        "receptive_field": [5, 5],
        "issue": None,
        "num_trainable": 156,
        "flops": 235200,
        "output_stride": [1, 1],
        "center": [2, 2],
        "kept_bytes": 0,
    }
    assert summary["totals"]["output_bytes"] == sum(node["output_bytes"] for node in summary["nodes"])


def test_summary_of_another_input_size_agrees_with_torch(capsys: Output) -> None:
    summary = answered(capsys, "summary", "lenet5-max-colour", "--input", "3x64x48")
    architecture = edits.set_input_shape(entry("lenet5-max-colour").build(), 3, 64, 48)
    traced = build_module(architecture).trace(torch.zeros(1, 3, 64, 48), [node.id for node in architecture.nodes])
    assert {node["id"]: node["output_shape"] for node in summary["nodes"]} == {
        node_id: list(value.shape[1:]) for node_id, value in traced.items()
    }


def test_summary_of_a_faulty_network_reaches_up_to_the_fault(capsys: Output, tmp_path: Path) -> None:
    path = tmp_path / "broken.arch.json"
    save(Project(architecture=edits.set_value(entry("lenet5").build(), "conv2", "kernel_size", 30)), path)
    nodes = {node["id"]: node for node in answered(capsys, "summary", str(path))["nodes"]}
    assert nodes["pool1"]["issue"] is None
    assert "kernel_size 30 does not fit" in nodes["conv2"]["issue"]
    assert nodes["fc3"]["output_shape"] is None
    assert main(["summary", str(path)]) == 0
    out = capsys.readouterr().out
    assert "error: conv2: kernel_size 30 does not fit the padded 14×14 input" in out
    assert "up to the first fault" in out


def test_no_networks_summary_loads_torch() -> None:
    code = (
        "import sys; from explorer import zoo; from explorer.cli import main\n"
        "codes = [main(['summary', entry.id, '--json']) for entry in zoo.entries()]\n"
        "assert not {'torch', 'numpy', 'PySide6'} & sys.modules.keys(); sys.exit(any(codes))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(entries())
    for answer in answers:
        assert answer["totals"]["complete"], answer["name"]
        assert answer["totals"]["num_parameters"] == sum(node["num_parameters"] for node in answer["nodes"])


def test_the_table_is_aligned(capsys: Output) -> None:
    assert main(["summary", "lenet5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "LeNet-5, input 1×32×32"
    conv2, fc1 = (next(line for line in lines if line.startswith(name)) for name in ("conv2", "fc1"))
    assert conv2.split() == ["conv2", "Conv2d", "16×10×10", "2,416", "240,000", "14×14", "2×2", "–"]
    assert len(conv2) == len(fc1)
    assert "parameters   61,706 (241.0 KiB in float32)" in lines


def test_summary_needs_no_torch_and_a_closed_pipe_is_no_error() -> None:
    code = (
        "import sys; from explorer.cli import main; code = main(['summary', 'lenet5', '--json'])\n"
        "assert not {'torch', 'numpy', 'PySide6'} & sys.modules.keys(); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["name"] == "LeNet-5"
    process = command("summary", "lenet5")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (141, "")


# Mistakes


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("summary", "lenet6"), ("unknown network 'lenet6'", "did you mean lenet5")),
        (("lenett",), ("unknown network or command 'lenett'", "lenet5")),
        # Nothing is near: where to look, and not a list of everything.
        (("qqq",), ("unknown network or command 'qqq'; `arch-explorer list`",)),
        (("summary", "qqq"), ("unknown network 'qqq'; `arch-explorer list` shows them",)),
        (("train", "lenet5", "--qqq"), ("unknown option --qqq; see arch-explorer train --help",)),
        (("sumary",), ("unknown network or command 'sumary'", "summary")),
        (("nowhere.arch.json",), ("nowhere.arch.json: there is no such file",)),
        (("summary", "nowhere/net.arch.json"), ("net.arch.json", "No such file")),
        (("summary",), ("NAME | FILE",)),
        (("summary", "lenet5", "--input", "3x224"), ("--input", "'3x224'", "3x224x224")),
        (("summary", "lenet5", "--input", "0x32x32"), ("--input", "received 0", "from 1")),
        (("summary", "lenet5", "--batch-size", "-1"), ("--batch-size",)),
        (("summary", "lenet5", "--batch-size", "x"), ("--batch-size: received 'x'", "from 1 to 65536")),
        (("summary", "lenet5", "--batchsize", "3"), ("unknown option --batchsize", "--batch-size")),
        (("train", "lenet5", "--lr", "fast"), ("--lr: received 'fast'", "from 1e-08 to 100")),
        (("train", "lenet5", "--epochs", "0"), ("--epochs: received 0", "from 1 to 100000")),
        (
            ("train", "lenet5", "--optimizer", "lion"),
            ("--optimizer: received 'lion'", "sgd or adam or adamw or rmsprop"),
        ),
        (("train", "lenet5", "--device", "tpu"), ("--device: received 'tpu'", "cuda")),
        (("train", "lenet5", "--device", "cuda:99"), ("cuda:99 is not available", "cpu")),
        (("train", "lenet5", "--data", "letters"), ("--data: received 'letters'", "digits")),
        (("export", "lenet5"), ("--to",)),
        (("export", "lenet5", "--to", "model.txt"), ("'.txt'", ".onnx")),
        (("export", "lenet5", "--to", "nowhere/model.py"), ("there is no folder nowhere",)),
        (("export", "20260101-000000-abcd", "--to", "model.py"), ("20260101-000000-abcd", "no run is recorded yet")),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_fit(
    arguments: tuple[str, ...],
    fragments: tuple[str, ...],
    capsys: Output,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    line = refused(capsys, *arguments)
    for fragment in fragments:
        assert fragment in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"not a project", "not valid JSON"),
        (b"\xff\xfe\x00\x01", "not a text file"),
        (b'{"format": "other"}', "not an Architecture Explorer project"),
        (b'{"format": "arch-explorer", "version": 99}', "newer program"),
    ],
)
@pytest.mark.parametrize("name", ["summary", "train", "export"])
def test_a_foreign_file_is_one_line(name: str, content: bytes, fragment: str, capsys: Output, tmp_path: Path) -> None:
    path = tmp_path / "net.arch.json"
    path.write_bytes(content)
    more = ("--to", str(tmp_path / "model.py")) if name == "export" else ()
    line = refused(capsys, name, str(path), *more)
    assert fragment in line
    assert "net.arch.json" in line


def test_a_network_with_faults_is_neither_trained_nor_exported(capsys: Output, tmp_path: Path) -> None:
    path = tmp_path / "broken.arch.json"
    save(Project(architecture=edits.set_value(entry("lenet5").build(), "conv2", "kernel_size", 30)), path)
    for arguments in (("train", str(path)), ("export", str(path), "--to", str(tmp_path / "model.py"))):
        assert "has a fault: conv2: kernel_size 30 does not fit" in refused(capsys, *arguments)
    with RunStore(default_root()) as store:
        assert store.list() == ()


def test_a_network_that_the_data_cannot_train_leaves_no_run(capsys: Output, tmp_path: Path) -> None:
    path = tmp_path / "nine.arch.json"
    save(Project(architecture=edits.set_value(entry("lenet5").build(), "fc3", "out_features", 9)), path)
    assert "9 logits for the 10 classes" in refused(capsys, "train", str(path))
    with RunStore(default_root()) as store:
        assert store.list() == ()


def test_help_and_version(capsys: Output) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"arch-explorer {__version__}\n"
    assert main(["--help"]) == 0
    assert "summary" in capsys.readouterr().out
    for name in ("list", "summary", "train", "export"):
        assert main([name, "--help"]) == 0
        assert "usage: arch-explorer" in capsys.readouterr().out


def test_without_a_command_the_window_opens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str | None] = []
    app = type(sys)("explorer.app")
    app.main = lambda target: opened.append(target) or 7  # type: ignore[attr-defined, func-returns-value]
    monkeypatch.setitem(sys.modules, "explorer.app", app)
    path = tmp_path / "net.arch.json"
    path.write_text("broken, which the window will say")
    assert [main([]), main(["lenet5"]), main([str(path)])] == [7, 7, 7]
    assert opened == [None, "lenet5", str(path)]


# train and export


@pytest.fixture
def one_thread() -> Iterator[None]:
    """So that the test is no slower beside busy processes."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(count)


@pytest.mark.usefixtures("one_thread")
def test_train_then_export_the_run(capsys: Output, tmp_path: Path) -> None:
    assert main(["train", "lenet5", "--epochs", "2", "--seed", "3", "--device", "cpu", "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert list(result) == [
        "run_id",
        "train_loss",
        "train_accuracy",
        "test_accuracy",
        "images_per_second",
        "device",
        "history",
    ]
    assert result["test_accuracy"] > 0.85
    assert [epoch["epoch"] for epoch in result["history"]] == [1, 2]
    assert result["history"][-1]["test_accuracy"] == result["test_accuracy"]
    lines = [line for line in captured.err.splitlines() if line.startswith("epoch")]
    assert len(lines) == 2
    assert "images/s" in lines[0]
    assert "left" in lines[0]
    assert "left" not in lines[1]
    assert "\r" not in captured.err
    with RunStore(default_root()) as store:
        record = store.get(result["run_id"])
    assert record.state == "completed"
    assert record.config == RunConfig(epochs=2, seed=3, device="cpu", normalization="data")
    assert record.versions["torch"]

    targets = [tmp_path / "model.py", tmp_path / "model.safetensors"]
    to = [part for target in targets for part in ("--to", str(target))]
    assert main(["export", result["run_id"][:-2], *to, "--check", "--json"]) == 0
    certificate = json.loads(capsys.readouterr().out)
    assert certificate["passed"] is True
    assert certificate["trained"] is True
    kept = safetensors.torch.load_file(record.weights_path)
    for key, value in safetensors.torch.load_file(targets[1]).items():
        assert torch.equal(value, kept[key])


def test_export_of_an_untrained_network_says_so(capsys: Output, tmp_path: Path) -> None:
    assert main(["export", "lenet5", "--to", str(tmp_path / "model.py")]) == 0
    out = capsys.readouterr().out
    assert "not checked" in out
    assert "untrained" in out
    assert "class LeNet5(nn.Module):" in (tmp_path / "model.py").read_text(encoding="utf-8")


def test_a_network_that_no_picture_fits_is_checked_on_random_images(capsys: Output, tmp_path: Path) -> None:
    path = tmp_path / "net.arch.json"
    save(Project(architecture=edits.set_input_shape(replace(branching(), name="two"), 2, 16, 16)), path)
    assert main(["export", str(path), "--to", str(tmp_path / "w.safetensors"), "--check"]) == 0
    assert "w.safetensors: passed" in capsys.readouterr().out


def test_an_unwritable_store_is_a_mistake_that_says_what_helps(
    capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ARCH_EXPLORER_HOME", str(tmp_path / "file"))
    assert "ARCH_EXPLORER_HOME" in refused(capsys, "train", "lenet5", "--epochs", "1")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_stops_the_run_and_keeps_its_checkpoint() -> None:
    process = command("train", "lenet5", "--epochs", "100000", "--device", "cpu", "--json")
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if line.startswith("epoch"):
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    result = json.loads(out)
    with RunStore(default_root()) as store:
        record = store.get(result["run_id"])
    assert record.state == "stopped"
    assert record.weights_path.exists()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("one_thread")
def test_a_terminal_gets_a_moving_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    terminal = Terminal()
    progress = Progress(terminal)
    config = RunConfig(epochs=2, device="cpu", batch_size=256)
    train(entry("lenet5").build(), config, progress, RunControl(), run_id="r")
    progress.close()
    shown = terminal.getvalue().split("\r\x1b[K")
    bars = [text for text in shown if "░" in text or "█" in text]
    assert bars
    assert all(len(bar) < 60 and "\n" not in bar for bar in bars)
    assert shown[-1] == ""
    assert sum(text.startswith("epoch") and text.endswith("\n") for text in shown) == 2


def test_times_read_like_clocks() -> None:
    assert [clock(s) for s in (0, 7.4, 61, 3723)] == ["0:00", "0:07", "1:01", "1:02:03"]
