"""The process that compiles a run's step ahead, so that the run goes on meanwhile: reads what to do on standard input,
and ends with the settings that it compiled with on standard output.

Its weights are of no interest: torch keeps what it compiled by the graph. `compilation` starts it.
"""

import contextlib
import json
import os
import sys

import torch

from explorer.architecture import files
from explorer.runs import RunConfig
from explorer.runtime.modules import build_module
from explorer.training.compiled_forward import CompiledForward, compiler_settings
from explorer.training.layout import choose_memory_format, set_memory_format
from explorer.training.optimization import Optimization
from explorer.training.precision import computing_in
from explorer.training.step import Step

_NICENESS = 5
"""Behind the run and the window, but not starved by them: both cores of a small machine are busy with the run, and the
sooner it is done the longer the run is faster."""


def main() -> int:
    """Compile; 0 where it worked, 1 where the compiler gave up."""
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(_NICENESS)
    job = json.load(sys.stdin)
    architecture = files.loads(job["network"]).architecture
    config = RunConfig.from_plain(job["config"])
    device = torch.device(job["device"])
    match_matmul(job["matmul_precision"])
    layout = choose_memory_format(architecture, device)
    network = set_memory_format(build_module(architecture, seed=0).to(device), layout)
    optimization = Optimization(network, config, device, 1)
    x = torch.zeros(job["batch_size"], *architecture.input_shape, device=device).contiguous(memory_format=layout)
    target = torch.zeros(len(x), dtype=torch.int64, device=device)
    # On the CPU the run needs the other cores.
    forward = CompiledForward(network, x, in_parallel=device.type != "cpu")
    step = Step(network, optimization, config).through(forward)
    with computing_in(optimization.precision):
        for count in job["threads"]:
            torch.set_num_threads(count)
            step(x, target)
        # The run looks at its own while it computes too.
        settings = compiler_settings()
    if not forward.is_compiled:
        return 1
    # What torch did not keep the run would have to compile itself.
    from torch._dynamo.utils import counters

    kept = counters["inductor"]
    if kept["fxgraph_cache_bypass"] or not kept["fxgraph_cache_miss"] + kept["fxgraph_cache_hit"]:
        print("torch keeps nothing of what it compiles", file=sys.stderr)
        return 1
    print(settings)
    return 0


def match_matmul(precision: str) -> None:
    """Multiply what is float32 on CUDA as the run's process does: "none" before anything was chosen there, else "tf32"
    or "ieee"."""
    matmul = torch.backends.cuda.matmul
    if matmul.fp32_precision != precision:
        # By the older name, as `computing_in` does: torch refuses to tell the state by one after it was set by another.
        matmul.allow_tf32 = precision == "tf32"


if __name__ == "__main__":
    sys.exit(main())
