"""How right the time of an epoch is that the window says before Start: the estimate against epochs of a real run.

Each in a fresh process: an estimate, the run, and another estimate, whose mean is compared, since other programs come
and go. Estimates are made by what the window calls, `app.profile_engine`, in a thread as there; the run measures its
epochs itself, with their tests. Neither counts what is written to disk.

STEPS is how many steps the run's epochs have; the whole epoch then follows as it is made up, from all steps at that
speed and the test. With 0 they are whole. The first one is told apart, since it pays for warming up and for choosing
threads; of a shortened run it says nothing. `folder` is a data set of small JPEGs, made for the occasion, which are
decoded as they are needed. The data are real and must lie in `$ARCH_EXPLORER_DATA`:

    python -m tests.benchmarks.estimate [--busy N] [--rounds N] [--device D] [NETWORK:DATA:BATCH:STEPS ...]
"""

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from explorer.runs import EpochFinished, Event, RunConfig, RunControl, RunStarted
from tests.benchmarks.training import busy_processes

_RUNS = (
    "lenet5-relu-dropout:fashion-mnist:128:0",
    "alexnet-28:fashion-mnist:128:20",
    "resnet20:fashion-mnist:128:20",
    "lenet5-relu-dropout:folder:128:0",
)
_EPOCHS = 2
"""Of which the first is told apart."""
_FOLDER_IMAGES, _FOLDER_SIDE = 8000, 64


def estimated(network: str, config: RunConfig) -> dict[str, Any]:
    """What the window would say, in the order of its doing: torch is loaded, then a thread asks."""
    from explorer.app import profile_engine
    from explorer.app.loading import load

    load()
    found = []

    def ask() -> None:
        found.append(profile_engine.probe_speed(_architecture(network), config, lambda: False))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    (estimate,) = found
    return {"epoch_s": estimate.epoch_s, "step_s": estimate.step_s, "test_s": estimate.test_s}


def trained(network: str, config: RunConfig, steps: int) -> dict[str, Any]:
    """Epochs of a run, in seconds: the first, and the one after it."""
    from explorer.app.loading import load

    load()
    from explorer.runtime import threads
    from explorer.training import load_data, train
    from tests.benchmarks.few_images import take_first

    threads.choose_threads()
    architecture = _architecture(network)
    num_images = len(load_data(config.data, architecture.input_shape).train_images)
    if steps:
        take_first(config.data, architecture.input_shape, steps * config.batch_size)
    events: list[Event] = []
    train(architecture, config, events.append, RunControl(), run_id="benchmark")
    (started,) = (event for event in events if isinstance(event, RunStarted))
    first, epoch = (event for event in events if isinstance(event, EpochFinished))
    train_s = num_images / epoch.images_per_second
    test_s = epoch.seconds - started.num_train / epoch.images_per_second
    step_s = train_s / num_images * config.batch_size
    said = {"device": started.device, "notes": started.notes}
    return {"epoch_s": train_s + test_s, "step_s": step_s, "test_s": test_s, "first_s": first.seconds, **said}


def _architecture(network: str) -> Any:
    from explorer import zoo

    return zoo.entry(network).build()


def make_folder(target: Path) -> None:
    """Fashion-MNIST's first images as JPEGs in folders by class, a tenth of them to test with."""
    from PIL import Image

    from explorer.training import load_data

    data = load_data("fashion-mnist")
    for number in range(_FOLDER_IMAGES + _FOLDER_IMAGES // 10):
        part = "train" if number < _FOLDER_IMAGES else "test"
        folder = target / part / str(int(data.train_labels[number]))
        folder.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(data.train_images[number, 0].numpy()).resize((_FOLDER_SIDE, _FOLDER_SIDE))
        image.save(folder / f"{number:05}.jpg", quality=90)


def measured(kind: str, device: str, network: str, data: str, batch: str, steps: str) -> dict[str, Any]:
    """What the participant prints, run in a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "ARCH_EXPLORER_HOME": home}
        command = [sys.executable, "-m", "tests.benchmarks.estimate", "--as", kind, "--device", device]
        command += [network, data, batch, steps]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{kind} of {network}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def take_part(kind: str, device: str, network: str, data: str, batch: str, steps: str) -> None:
    """Be one of the two processes."""
    from explorer.runtime import threads

    threads.prepare()
    if data.startswith("folder:"):
        from explorer.training.data import decoded_folder

        decoded_folder._MEMORY_SHARE = 0.0
    config = RunConfig(data=data, epochs=_EPOCHS, batch_size=int(batch), device=device)
    if int(steps):
        # A run that is shortened ends before it would choose another precision, as the estimate has a whole one do.
        config = dataclasses.replace(config, precision="float32")
    print(json.dumps(estimated(network, config) if kind == "estimate" else trained(network, config, int(steps))))


def main() -> None:
    """Print each round, and each run's median ratio of estimate and epoch."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="*", default=_RUNS)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or auto")
    parser.add_argument("--as", dest="kind", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.kind is not None:
        take_part(options.kind, options.device, *options.runs)
        return
    with tempfile.TemporaryDirectory() as temporary, busy_processes(options.busy):
        folder = Path(temporary) / "images"
        for written in options.runs:
            network, data, batch, steps = written.split(":")
            if data == "folder":
                if not folder.exists():
                    make_folder(folder)
                data = f"folder:{folder}"
            ratios = []
            for _ in range(options.rounds):
                before, run, after = (
                    measured(kind, options.device, network, data, batch, steps)
                    for kind in ("estimate", "run", "estimate")
                )
                ratios.append((before["epoch_s"] + after["epoch_s"]) / 2 / run["epoch_s"])
                first = "" if int(steps) else f", the first {run['first_s']:.2f} s"
                print(
                    f"{written}, {options.busy} busy: epoch {run['epoch_s']:.2f} s{first}, estimates "
                    f"{before['epoch_s']:.2f} and {after['epoch_s']:.2f} s ({ratios[-1]:.2f}); "
                    f"step {1e3 * run['step_s']:.2f} ms, {1e3 * before['step_s']:.2f} and {1e3 * after['step_s']:.2f}; "
                    f"test {run['test_s']:.2f} s, {before['test_s']:.2f} and {after['test_s']:.2f}",
                    flush=True,
                )
            print(f"  on {run['device']}; the run said: {' '.join(run['notes']) or 'nothing'}", flush=True)
            median = statistics.median(ratios)
            print(f"{written}, {options.busy} busy, median of estimate / epoch: {median:.2f}", flush=True)


if __name__ == "__main__":
    main()
