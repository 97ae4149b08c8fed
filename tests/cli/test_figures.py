"""`arch-explorer export --to graph.svg`: in a process of its own, without a display and without torch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.cli import main

ROOT = Path(__file__).parents[2]


def _export(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command as a process that has no display and cannot import torch."""
    program = (
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('torch', 'torchvision'):\n"
        "            raise ImportError(f'{name} was imported')\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "from explorer.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.run(
        [sys.executable, "-c", program, "export", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_writes_each_figure_and_tells_its_size(tmp_path: Path) -> None:
    targets = [argument for suffix in ("svg", "pdf", "png") for argument in ("--to", f"g.{suffix}")]
    done = _export("googlenet", *targets, "--width", "85mm", "--fold", "all", "--no-counts", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == ["g.svg", "g.pdf", "g.png"]
    assert all(": 85 × " in line for line in lines)
    text = (tmp_path / "g.svg").read_text("utf-8")
    assert "inception3a" in text
    assert "params" not in text


@pytest.mark.usefixtures("qapp")
def test_columns_make_a_tall_figure_low(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    heights = []
    for columns in ("1", "3", "page"):
        assert main(["export", "alexnet", "--to", "a.pdf", "--columns", columns]) == 0
        heights.append(int(capsys.readouterr().out.split(" × ")[1].split(" mm")[0]))
    one, three, page = heights
    assert three < page < 240 < one


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lenet5", "--to", "missing/a.svg"), "missing/a.svg could not be written: No such file or directory"),
        (("lenet5", "--to", "a.svg", "--width", "wide"), "received 'wide'; use a length such as 85mm"),
        (("lenet5", "--to", "a.svg", "--columns", "0"), "received '0'; use 1 to 12, or page"),
        (("lenet5", "--to", "a.svg", "--fold", "some"), "invalid choice: 'some'"),
        (("lenet-5", "--to", "a.svg"), "lenet5"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert not list(tmp_path.iterdir())
