"""Predicted memory of training against the measured one, for four networks and batches of 1 to 256.

python -m tests.benchmarks.memory

With a CUDA device: the peak of `torch.cuda.max_memory_allocated` over a training step, in which workspaces of cuDNN and
cuBLAS are part of what is measured and not of what is predicted. Without one: what autograd saves and the peak of all
that is alive, both counted on the meta device.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.architecture import Architecture
from explorer.inference import infer
from explorer.inference.logits import logits_node
from explorer.inference.memory import largest_batch, memory
from explorer.runs import RunConfig
from explorer.runtime.modules import Network, build_module
from explorer.training.optimization import Optimization
from explorer.training.step import Step
from tests.runtime.alive import AliveBytes
from tests.runtime.saved import CudaDropout, saved_as_they_are

_NETWORKS = ("alexnet", "vgg16", "googlenet", "resnet50")
_BATCHES = (1, 4, 16, 64, 256)
_MIB = 2**20
_NUM_TIMES = 50
_CONFIG = RunConfig(learning_rate=1e-3)


def main() -> None:
    """Measure and print a table."""
    # Before CUDA starts: a small workspace for cuBLAS, which otherwise holds up to 32 MiB of its own.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    if torch.cuda.is_available():
        print(f"max_memory_allocated on {torch.cuda.get_device_name(0)}, MiB")
        _table(_measured_on_cuda, ("training",))
    else:
        print("There is no CUDA device: what autograd saves, and the peak of what is alive, on the meta device; MiB")
        _table(_counted_on_meta, ("saved", "training"))
    print()
    _times()


_Measure = Callable[[Architecture, int], Sequence[int | None]]


def _table(measure: _Measure, names: tuple[str, ...]) -> None:
    print(f"{'network':12}{'batch':>6}" + "".join(f"{name:>12}{'measured':>12}{'off':>9}" for name in names))
    for name in _NETWORKS:
        net = zoo.entry(name).build()
        net = replace(net, outputs=(logits_node(net)[0],))
        for batch_size in _BATCHES:
            predicted = memory(net, infer(net), batch_size=batch_size, momentum=0.9)
            numbers = {"saved": predicted.saved_bytes, "training": predicted.training_bytes}
            cells = []
            for what, measured in zip(names, measure(net, batch_size), strict=True):
                if measured is None:
                    cells.append(f"{numbers[what] / _MIB:12.1f}{'no room':>12}{'':>9}")
                    continue
                off = 100 * (numbers[what] / measured - 1)
                cells.append(f"{numbers[what] / _MIB:12.1f}{measured / _MIB:12.1f}{off:+8.2f}%")
            print(f"{name:12}{batch_size:6}" + "".join(cells))


def _batch(net: Architecture, batch_size: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.ones(batch_size, *net.input_shape, device=device)
    return x, torch.zeros(batch_size, dtype=torch.int64, device=device)


def _measured_on_cuda(net: Architecture, batch_size: int) -> tuple[int | None]:
    try:
        network = build_module(net, seed=0).train().to("cuda")
        step = Step(network, Optimization(network, _CONFIG, torch.device("cuda"), 1), _CONFIG)
        x, target = _batch(net, batch_size, "cuda")
        step(x, target)
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        step(x, target)
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated(),)
    except torch.cuda.OutOfMemoryError:
        return (None,)


def _counted_on_meta(net: Architecture, batch_size: int) -> tuple[int, int]:
    with torch.device("meta"):
        network: Network = build_module(net).train()
    x, target = _batch(net, batch_size, "meta")
    tensors = [*network.parameters(), *network.buffers()]
    saved = saved_as_they_are(lambda x: F.cross_entropy(network(x), target), [x], tensors)
    optimization = Optimization(network, _CONFIG, torch.device("meta"), 1)
    step = Step(network, optimization, _CONFIG)
    with CudaDropout():
        step(x, target)
        alive = AliveBytes([x, target, *tensors])
        for parameter in network.parameters():
            alive.hold(optimization.optimizer.state[parameter]["momentum_buffer"])
            if parameter.grad is not None:
                alive.hold(parameter.grad)
        with alive:
            step(x, target)
    return saved, alive.peak


def _times() -> None:
    """What asking costs, since it is asked at every edit."""
    for name in (*_NETWORKS, "resnet152"):
        net = zoo.entry(name).build()
        asked, largest = [], []
        for _ in range(_NUM_TIMES):
            # Another object each time, as after an edit: what was asked before is known.
            inference = infer(net)
            start = time.perf_counter()
            memory(net, inference, batch_size=64, momentum=0.9)
            middle = time.perf_counter()
            largest_batch(net, inference, 80 * 2**30, momentum=0.9)
            asked.append((middle - start) * 1e3)
            largest.append((time.perf_counter() - middle) * 1e3)
        print(
            f"{name:12}{len(net):6} nodes: memory {statistics.median(asked):.2f} ms, "
            f"then largest_batch {statistics.median(largest):.2f} ms"
        )


if __name__ == "__main__":
    main()
