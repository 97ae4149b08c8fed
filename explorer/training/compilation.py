"""Whether a run's step is compiled, when, and whether that is worth it: `torch.compile` where it pays back in the run.

Compiling takes a minute or so, therefore a process of low priority does it beside the run (`compile_process`), and only
where the run has long enough to go. Then the run takes over what torch kept, which takes seconds, and finds out on its
own weights whether the compiled step does the same and is faster (`trial`). It is tried where there are norms:
ResNet-20 on two cores takes a seventh less time so, networks of convolutions and activations alone none. Compiled sums
are rounded otherwise.
"""

import contextlib
import dataclasses
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

import torch

import explorer
from explorer.architecture import Project, files
from explorer.layers import Category
from explorer.runtime.devices import device_memory
from explorer.runtime.modules import Network
from explorer.training.compiled_forward import CompiledForward, compiler_settings
from explorer.training.fitting import predicted_batch_size
from explorer.training.guard import Guard
from explorer.training.plan import RunPlan
from explorer.training.precision_choice import TOLERANCE
from explorer.training.step import Step
from explorer.training.trial import SUMS, Batch, MakeStep, Trial, can_be_tried

_WORTH_CPU_S, _WORTH_S = 600.0, 180.0
"""Of the run that must be left: on a CPU compiling takes its time from the run, beside a GPU most cores rest."""
_WORTH_STEPS = 500
"""Steps that must be left as well: trying takes up to twenty."""
_COMPILER_BYTES = 1_500_000_000
_SETTLED_STEPS = 20
_GAIN = 0.95
"""The share of the usual step's time that a compiled one may take at most to be used."""
_SWITCH_S = 0.0005
_PATIENCE_S = 5.0
_logger = logging.getLogger(__name__)


class Ahead(Protocol):
    """What compiles beside a run."""

    def poll(self) -> bool | None:
        """Whether it worked; None as long as it is at work."""

    def close(self) -> None:
        """Give up, or forget."""


class CompileProcess:
    """`compile_process`, started."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        """Start it.

        Raises:
            OSError: no process can be started.
        """
        with contextlib.ExitStack() as opened:
            self._settings = opened.enter_context(tempfile.TemporaryFile())
            self._said = opened.enter_context(tempfile.TemporaryFile())
            given = opened.enter_context(tempfile.TemporaryFile())
            given.write(json.dumps(job).encode())
            given.seek(0)
            self._process = subprocess.Popen(
                # Nothing is imported from the folder that the user is in.
                [sys.executable, "-P", "-m", "explorer.training.compile_process"],
                stdin=given,
                stdout=self._settings,
                stderr=self._said,
                env=_environment(),
                # With the compilers that it starts.
                process_group=0 if os.name == "posix" else None,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0)
                | getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
            )

            opened.pop_all()
            given.close()

    def poll(self) -> bool | None:
        """See `Ahead`."""
        code = self._process.poll()
        if code == 0 and _last_line(self._settings) != compiler_settings():
            _logger.info("the step was compiled with other settings of torch than the run's")
            return False
        if code:
            _logger.info("the step could not be compiled: %s", _last_line(self._said) or f"exit status {code}")
        return None if code is None else code == 0

    def close(self) -> None:
        """See `Ahead`."""
        if self._process.poll() is None:
            _kill(self._process)
            # One that hangs in a driver must not hold the run's end.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_PATIENCE_S)
        self._settings.close()
        self._said.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it, and where the system knows of groups, what it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _last_line(said: IO[bytes]) -> str:
    """Empty where there is none."""
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def _environment() -> dict[str, str]:
    """Of the process, which is to find this very program."""
    own = str(Path(explorer.__file__).parents[1])
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": own if not before else os.pathsep.join((own, before))}


class Compilation:
    """A run's decision: hears how much of it is left, has the step compiled, and tries it. For the training thread."""

    def __init__(
        self,
        plan: RunPlan,
        network: Network,
        step: Step,
        guard: Guard,
        counts: Sequence[int],
        begin: Callable[[Mapping[str, Any]], Ahead] = CompileProcess,
    ) -> None:
        """Nothing is compiled yet.

        Args:
            plan: of the run.
            network: of the run, in training mode on its device.
            step: the usual way, in the precision that the run computes in.
            guard: of the run.
            counts: numbers of threads that the run may compute with, the usual one first.
            begin: starts what compiles, given what `compile_process` reads.
        """
        self._plan = plan
        self._network = network
        self._step = step
        self._guard = guard
        self._counts = tuple(counts)
        self._begin = begin
        self._ahead: Ahead | None = None
        self._forward: CompiledForward | None = None
        self._is_over = False

    def heard(self, num_made: int, step_s: float, seconds_left: float | None) -> None:
        """See `StepChoice.heard`; begins to compile where that is worth it."""
        if self._is_over or self._ahead is not None or seconds_left is None or num_made < _SETTLED_STEPS:
            return
        worth_s = _WORTH_CPU_S if self._plan.device.type == "cpu" else _WORTH_S
        if seconds_left < max(worth_s, _WORTH_STEPS * step_s):
            return
        # Never worth the run, whatever goes wrong.
        try:
            self._ahead = self._begin(self._job()) if _has_room(self._plan) else None
        except Exception:
            _logger.warning("the step cannot be compiled", exc_info=True)
        self._is_over = self._ahead is None

    @property
    def is_ready(self) -> bool:
        """Whether there is a compiled step to be tried."""
        if self._ahead is None or (worked := self._ahead.poll()) is None:
            return False
        if not worked:
            self.close()
        return worked

    @property
    def is_used(self) -> bool:
        """Whether a compiled step was chosen, and still computes full batches."""
        return self._forward is not None and self._forward.is_compiled

    def choose(
        self, trial: Trial, make_batch: Callable[[], Batch], is_stopped: Callable[[], bool]
    ) -> tuple[MakeStep | None, str]:
        """Try it; for once. Nothing of the run is different afterwards.

        Args:
            trial: of the run.
            make_batch: makes a full one; see `sample_batch`.
            is_stopped: whether nobody waits for an answer any more.

        Returns:
            The compiled step if it is to be used, and a sentence on it; empty where there is nothing to say.
        """
        self.close()
        switch_s = sys.getswitchinterval()
        # torch compiles in Python; who waits for its lock meanwhile, as the window does, is to have it soon.
        sys.setswitchinterval(_SWITCH_S)
        try:
            # Compiled layers round to 16 bits where others do.
            tolerance = TOLERANCE if self._step.precision.is_mixed else SUMS
            prepare = partial(self._compiled, is_stopped=is_stopped)
            tried = trial.of(self._step, prepare, make_batch, is_stopped, tolerance)
        finally:
            sys.setswitchinterval(switch_s)
        if tried is None:
            self._forward = None
            return None, ""
        compiled, verdict = tried
        if verdict.is_faster(_GAIN):
            text = f"From here on full batches are computed by a step that torch compiled: {verdict.times}."
            return compiled, text
        self._forward = None
        if verdict.difference is not None:
            return None, f"A compiled step {verdict.difference}; the run does without."
        return None, f"Steps are made as usual: compiled by torch they would take {verdict.times}."

    def close(self) -> None:
        """Compile nothing any more."""
        self._is_over = True
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def _job(self) -> dict[str, Any]:
        config = dataclasses.replace(self._plan.config, precision=self._step.precision.name)
        return {
            "network": files.dumps(Project(architecture=self._plan.architecture)),
            "config": config.to_plain(),
            "device": str(self._plan.device),
            "batch_size": self._plan.batch_size,
            "threads": self._counts,
            # What torch finds its work by, and what an earlier run on a GPU may have left otherwise than it was.
            "matmul_precision": torch.backends.cuda.matmul.fp32_precision,
        }

    def _compiled(self, batch: Batch, is_stopped: Callable[[], bool]) -> MakeStep | None:
        """The compiled step, once it was made with each number of threads."""
        # What an earlier run compiled counts against torch's limit of versions.
        torch.compiler.reset()
        self._forward = forward = CompiledForward(self._network, batch[0], self._guard.look)
        compiled = self._step.through(forward)
        usual_count = torch.get_num_threads()
        for count in (*(count for count in self._counts if count != usual_count), usual_count):
            torch.set_num_threads(count)
            compiled(*batch)
            if is_stopped() or not forward.is_compiled:
                return None
        return compiled


def may_compile(plan: RunPlan, network: Network, num_processes: int) -> bool:
    """Whether a run may be compiled at all: where it is wanted, can be, and equal runs need not be equal to the bit,
    as those are whose threads are given."""
    config = plan.config
    if not config.compile or num_processes > 1 or plan.device.type not in ("cpu", "cuda"):
        return False
    if plan.precision.scaler() is not None:
        # What scales the loss goes on with each step that is tried, and cannot be put back.
        return False
    if plan.is_repeatable:
        return False
    # A frozen program's executable is the program, which would open another window.
    if getattr(sys, "frozen", False) or not sys.executable:
        return False
    has_norms = any(node.layer.category is Category.NORMALIZATION for node in plan.architecture.nodes)
    return has_norms and can_be_tried(network)


def _has_room(plan: RunPlan) -> bool:
    """Whether the device has memory for the step of a second process, and as much again for everybody else, beside what
    torch and a compiler take by themselves."""
    try:
        available_bytes = device_memory(str(plan.device)).available_bytes - _COMPILER_BYTES
        if plan.device.type != "cpu" and device_memory("cpu").available_bytes < 2 * _COMPILER_BYTES:
            return False
    except ValueError:
        return False
    return available_bytes > 0 and predicted_batch_size(plan, available_bytes // 2) >= plan.batch_size
