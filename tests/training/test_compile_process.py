"""The process that compiles beside a run: how it is started, ended and heard, and one run with torch's own compiler."""

import dataclasses
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from explorer.runs import Event, RunControl, RunFailed, RunNoted, StepsRecorded
from explorer.runtime import threads
from explorer.training import compilation, step_choice
from explorer.training.compilation import Compilation, CompileProcess
from explorer.training.compile_process import match_matmul
from explorer.training.compiled_forward import compiler_settings
from explorer.training.loop import train
from explorer.training.precision import Precision, computing_in
from tests.training.step_parts import CONFIG, losses, normed

pytestmark = pytest.mark.usefixtures("few_digits")


class TestProcess:
    def test_what_it_says_when_it_fails_is_logged(
        self, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Whatever lies where the user is, nothing of it is imported.
        (tmp_path / "torch.py").write_text("raise SystemExit('torch of the folder')")
        monkeypatch.chdir(tmp_path)
        process = CompileProcess({"network": "{}", "config": {}, "device": "cpu", "batch_size": 1, "threads": [1]})
        with caplog.at_level(logging.INFO):
            assert _answer_of(process) is False
        process.close()
        assert "the step could not be compiled: " in caplog.text
        assert "Error" in caplog.text.splitlines()[-1]
        assert "torch of the folder" not in caplog.text

    @pytest.mark.parametrize("left", ["tf32", "ieee"])
    def test_it_multiplies_as_the_run_and_torch_still_tells_how(self, left: str) -> None:
        """An earlier run on a GPU left the switches so; torch refuses to tell what was set by another name."""
        matmul = torch.backends.cuda.matmul
        before = matmul.allow_tf32
        try:
            match_matmul(left)
            assert matmul.fp32_precision == left
            with computing_in(Precision("tf32", torch.device("cuda"))):
                match_matmul(matmul.fp32_precision)
                assert matmul.allow_tf32
            assert matmul.allow_tf32 is (left == "tf32")
        finally:
            matmul.allow_tf32 = before

    @pytest.mark.parametrize("own", [True, False])
    def test_what_was_compiled_with_other_settings_is_not_used(
        self, own: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        real, said = subprocess.Popen, compiler_settings() if own else "others"

        def begin(*given: Any, **named: Any) -> subprocess.Popen[bytes]:
            return real([sys.executable, "-c", f"print({said!r})"], **named)

        monkeypatch.setattr(subprocess, "Popen", begin)
        process = CompileProcess({})
        with caplog.at_level(logging.INFO):
            assert _answer_of(process) is own
        process.close()
        assert ("with other settings" in caplog.text) is not own

    def test_it_can_be_ended_at_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        begun: list[subprocess.Popen[bytes]] = []
        real = subprocess.Popen

        def begin(*given: Any, **named: Any) -> subprocess.Popen[bytes]:
            begun.append(real([sys.executable, "-c", "import time; time.sleep(600)"], **named))
            return begun[0]

        monkeypatch.setattr(subprocess, "Popen", begin)
        process = CompileProcess({"device": "cpu"})
        assert process.poll() is None
        process.close()
        assert begun[0].returncode is not None


def _answer_of(process: CompileProcess) -> bool:
    while (answer := process.poll()) is None:
        time.sleep(0.05)
    return answer


def _run_compiled_beside() -> None:
    """In a process of its own, as a program begins: others of torch's users here leave it otherwise."""
    from torch._dynamo.utils import counters

    class Awaited(CompileProcess):
        """The run waits, so that it makes few steps until then."""

        def __init__(self, job: Mapping[str, Any]) -> None:
            super().__init__(job)
            _answer_of(self)

    torch.set_num_threads(1)
    runs: list[list[Event]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "are_given", lambda: False)
        patch.setattr(step_choice, "Compilation", partial(Compilation, begin=Awaited))
        for name, value in (("_WORTH_CPU_S", 0.0), ("_WORTH_STEPS", 0), ("_SETTLED_STEPS", 1), ("_GAIN", 1e9)):
            patch.setattr(compilation, name, value)
        for config in (
            dataclasses.replace(CONFIG, epochs=1, precision="float32"),
            dataclasses.replace(CONFIG, epochs=1, precision="float32", compile=False),
        ):
            runs.append([])
            result = train(normed(), config, runs[-1].append, RunControl(), run_id="r")
            assert not isinstance(result, RunFailed), result
    compiled, usual = runs
    (note,) = [event.note for event in compiled if isinstance(event, RunNoted)]
    assert note.startswith("From here on full batches are computed by a step that torch compiled: "), note
    # The run found everything that the process had compiled.
    found = counters["inductor"]
    assert found["fxgraph_cache_hit"] > 0, found
    assert found["fxgraph_cache_miss"] == 0, found
    first = switch(compiled)
    assert first < 100, first
    ours, theirs = np.array(losses(compiled)), np.array(losses(usual))
    assert np.array_equal(ours[: first - 1], theirs[: first - 1])
    np.testing.assert_allclose(ours[first - 1 : first + 11], theirs[first - 1 : first + 11], atol=2e-3)


@pytest.mark.skipif(
    not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")),
    reason="torch compiles with a C++ compiler, and there is none",
)
def test_a_run_goes_over_to_what_torch_compiled_beside_it(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"from {__name__} import _run_compiled_beside as run; run()"],
        cwd=root,
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def switch(events: Sequence[Event]) -> int:
    """The first compiled step."""
    return next(event.first_step for event in events if isinstance(event, StepsRecorded) and event.is_compiled)
