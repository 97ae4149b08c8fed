"""Where the window meets torch: the functions that its threads run. torch is imported inside them, never before."""

import dataclasses
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.app.loading import load
from explorer.architecture import Architecture
from explorer.panels.estimates import Device
from explorer.runs import Event, RunConfig, RunControl, RunStarted, RunStoreError, config_field
from explorer.runs.data_sources import DIGITS
from explorer.runs.launch import train_in_processes
from explorer.runtime import allocation, threads
from explorer.session.collector import settle
from explorer.session.probe_session import Capture, ProbeRequest

if TYPE_CHECKING:
    from explorer.export.certificate import Certificate
    from explorer.runtime.observer import Observer

_NUM_CHECK_IMAGES = 16


def preload() -> None:
    """Import torch in a background thread, so that the first Start and the first maps do not wait for it."""
    threads.prepare()

    def preload() -> None:
        load()
        settle()

    threading.Thread(target=preload, name="preload", daemon=True).start()


def train(
    architecture: Architecture,
    config: RunConfig,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    initial_weights: Path | None = None,
) -> None:
    """Train and record a run; called in the run's thread.

    Where the run store cannot be written the run is kept in a temporary folder instead, and says so.
    """
    if config.processes > 1:
        train_in_processes(architecture, config, emit, control, initial_weights=initial_weights)
        return
    load()
    from explorer.training.recorded import train_recorded
    from explorer.training.rehearsal import end_rehearsals

    end_rehearsals()
    threads.choose_threads()
    try:
        train_recorded(architecture, config, emit, control, initial_weights=initial_weights)
    except RunStoreError as error:
        note = f"This run is kept only until the system clears its temporary files: {error}"

        def noted(event: Event) -> None:
            emit(dataclasses.replace(event, notes=(*event.notes, note)) if isinstance(event, RunStarted) else event)

        root = Path(tempfile.mkdtemp(prefix="arch-explorer-runs-"))
        train_recorded(architecture, config, noted, control, root=root, initial_weights=initial_weights)
    finally:
        allocation.give_back()


def resume(
    run_id: str,
    architecture: Architecture,
    config: RunConfig,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    initial_weights: Path | None = None,  # noqa: ARG001
    device: str | None = None,
) -> None:
    """Let a recorded run go on; called in the run's thread. Network, configuration and weights are those of its record.

    Args:
        device: where to go on; None for where its configuration says.

    Raises:
        RunStoreError, ValueError: it cannot go on; the message says why.
    """
    if config.processes > 1 and device is None:
        train_in_processes(architecture, config, emit, control, resume=run_id)
        return
    load()
    from explorer.training.recorded import resume_recorded
    from explorer.training.rehearsal import end_rehearsals

    end_rehearsals()
    threads.choose_threads()
    resume_recorded(run_id, emit, control, device=device)


def look_up_device(name: str) -> Device:
    """The device that a run with that name in its configuration would use, and its memory; called in a thread.

    Raises:
        ValueError: no such device here.
    """
    load()
    from explorer.runtime.devices import available_devices, choose_device, device_memory, device_name
    from explorer.training.precision import choose_precision

    device = choose_device(name)
    found = device_memory(str(device))
    shown = "this computer" if device.type == "cpu" else device_name(device)
    num_gpus = sum(there.startswith("cuda") for there in available_devices())
    names = config_field("precision").choices
    mixed = tuple(name for name in names if choose_precision(name, device).is_mixed)
    return Device(shown, found.total_bytes, found.available_bytes, num_gpus, mixed)


def make_capture() -> Capture:
    """What the probe's thread calls; it keeps its module between calls."""
    observer: Observer | None = None

    def capture(request: ProbeRequest) -> tuple[Event, ...]:
        nonlocal observer
        load()
        from explorer.runtime.observer import Observer
        from explorer.training.beginning import Beginning, kept_beginning
        from explorer.training.data import is_at_hand, load_data
        from explorer.training.layer_statistics import statistics_sample
        from explorer.training.normalization import normalization_of_run, settle_normalization

        if observer is None:
            observer = Observer()
        weights = Path(request.weights) if request.weights is not None else None
        shape = request.architecture.input_shape
        # A look at feature maps must not wait until a folder is read, nor fail for want of a download.
        data = request.data if is_at_hand(request.data, shape) else DIGITS
        asked = RunConfig(data=data, normalization=request.normalization)
        config = settle_normalization(asked, shape, weights)
        images = load_data(data, shape)
        # The same pixels as in training, so that the pictures before, during and after a run compare.
        normalization = normalization_of_run(config, images)
        fresh = Beginning(seed=request.seed, init="default", weights=None)
        beginning = fresh if weights is None else kept_beginning(weights.parent)
        return observer.capture(
            request.architecture,
            weights,
            request.seed,
            request.look,
            normalization=normalization,
            class_names=images.class_names,
            sample=lambda: statistics_sample(images, shape, normalization),
            initial=None if beginning is None else beginning.parameters,
        )

    return capture


def export(
    architecture: Architecture,
    weights: str | None,
    config: RunConfig,
    targets: list[Path],
    check: bool,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> "Certificate":
    """Export and check; called in a job's thread.

    Args:
        weights: those of the last run. What an edit since then made unfit starts anew, and the certificate says so.
        config: names the data set whose images the check uses, and the seed of what no run trained.
    """
    progress("Loading torch", 0.0)
    load()
    from explorer.export.export import export_model
    from explorer.runtime.modules import build_module
    from explorer.runtime.weights import carry_weights, load_weights
    from explorer.training.data import data_at_hand, load_data, network_inputs
    from explorer.training.normalization import expected_normalization

    shape = architecture.input_shape
    data, elsewhere = data_at_hand(config.data)
    config = dataclasses.replace(config, data=data)
    normalization = expected_normalization(config, shape, None if weights is None else Path(weights))
    images, note = network_inputs(load_data(config.data, shape), shape, _NUM_CHECK_IMAGES, normalization)
    notes = [text for text in (elsewhere, note) if text is not None]
    state_dict = None
    if weights is not None:
        network = build_module(architecture, seed=config.seed)
        report = carry_weights(load_weights(Path(weights)), network)
        notes += [f"{node_id} is untrained: {reason}." for node_id, reason in report.reinitialised.items()]
        state_dict = network.state_dict()
    certificate = export_model(
        architecture,
        state_dict,
        targets,
        images=images,
        check=check,
        seed=config.seed,
        progress=progress,
        cancelled=cancelled,
        normalization=normalization,
    )
    return dataclasses.replace(certificate, notes=(*certificate.notes, *notes))
