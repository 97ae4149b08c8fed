"""`train`: a run from its configuration to its last event. No exception leaves it.

It knows no window: it runs in a background thread, from the command line, or in a test. What it may be told is
`RunControl`. What is decided beforehand is `plan`; the run under way is `run`; what is said of one that broke is
`failures`.
"""

import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from explorer.architecture import Architecture
from explorer.runs import (
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStore,
    WeightsFacts,
)
from explorer.runtime.modules import Network, build_module
from explorer.runtime.weights import carry_weights, load_weights
from explorer.training.beginning import Beginning, begin, keep_beginning, kept_beginning
from explorer.training.checkpoint import Checkpoint
from explorer.training.distributed import ALONE, Alone
from explorer.training.failures import (
    is_device_lost,
    is_explained,
    is_out_of_memory,
    message_of,
)
from explorer.training.fitting import fitting_batch_size, fitting_batch_size_of_several, make_attempt
from explorer.training.initialization import initialize
from explorer.training.model_split import on_devices
from explorer.training.plan import RunPlan, plan_run
from explorer.training.precision import computing_in
from explorer.training.run import Run
from explorer.training.thread_choice import choosing_threads
from explorer.training.voice import Voice

CHECKPOINT_INTERVAL_S = 180.0
"""So much of a run a crash may cost at most, beside what an epoch's end keeps."""


def train(
    architecture: Architecture,
    config: RunConfig,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    run_id: str,
    store: RunStore | None = None,
    initial_weights: Path | None = None,
    resume: bool = False,
    checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S,
    ranks: Alone = ALONE,
    moments_bytes: int = 0,
) -> RunFinished | RunFailed:
    """Train a network from start to end, in the calling thread. No exception leaves it.

    Equal arguments on the same CPU give equal losses to the last bit, whatever is watched meanwhile, and whether or not
    the run was broken off and resumed in between; as long as the number of threads is fixed, by the configuration or
    the environment. A change of it rounds the sums of large convolutions otherwise, and so does a compiled step, to
    which no such run goes over.

    Args:
        architecture: the network; its first output is trained on.
        config: how.
        emit: receives each event in this thread; what it raises is logged and the run goes on.
        control: how the run is told to pause, step, stop, use another learning rate, and what is looked at.
        run_id: of each event; the id that `RunStore.create` gave where there is a store.
        store: records the events, and its folder of the run takes the weights after epochs.
        initial_weights: a safetensors file whose tensors are taken over where they fit.
        resume: go on from the newest checkpoint in the run's folder, with the same architecture and configuration.
        checkpoint_interval_s: how often the state is kept inside an epoch; it is kept after an epoch too, as far as
            that takes little of the run's time, and at the end.
        ranks: the processes that train together, of which the first alone has a store.
        moments_bytes: what the moments for looking back may take in the run's folder; 0 for none.

    Returns:
        The last event.
    """
    say = Voice(emit, store).say
    checkpoint = Checkpoint(None)
    plan: RunPlan | None = None
    run: Run | None = None
    result: RunFinished | RunFailed
    try:
        if store is not None:
            checkpoint = Checkpoint(store.get(run_id).folder)
        ranks.meet()
        control = ranks.control(control)
        plan = plan_run(architecture, ranks.settled(config), initial_weights)
        checkpoint.facts = WeightsFacts(
            text=f"run {run_id}", normalization=plan.normalization, class_names=plan.data.class_names
        )
        on_gpu = [device for device in (plan.device, *plan.other_devices) if device.type == "cuda"]
        # Dropout draws from torch's global state; whoever called finds it as it was.
        with torch.random.fork_rng(devices=on_gpu), computing_in(plan.precision):
            torch.manual_seed(config.seed)
            network, notes = _network(plan, initial_weights)
            ranks.measure_alone(plan)
            with choosing_threads(plan, ranks.size) as threads:
                run = Run(
                    run_id,
                    plan,
                    network,
                    say,
                    control,
                    checkpoint,
                    checkpoint_interval_s,
                    ranks,
                    threads,
                    _beginning(plan, initial_weights, None if store is None else store.get(run_id).folder, resume),
                )
                if store is not None and moments_bytes and ranks.is_first:
                    run.keep_moments(store.get(run_id).folder, moments_bytes)
                if resume:
                    state = ranks.from_first(checkpoint.resume(network) if ranks.is_first else None)
                    assert state is not None
                    run.restore(state)
                    ranks.take_weights(network)
                result = run.run((*notes, *ranks.notes))
    except Exception as error:
        meant = ranks.explained(error, None if run is None else run.step, checkpoint.saved_step)
        result = _failed(meant, run_id, plan, run, checkpoint, ranks.size)
    say(result)
    ranks.note_end(is_failure=isinstance(result, RunFailed))
    return result


def _failed(
    error: Exception, run_id: str, plan: RunPlan | None, run: Run | None, checkpoint: Checkpoint, num_processes: int
) -> RunFailed:
    step = None if run is None else run.step
    details = "" if is_explained(error, step is not None) else traceback.format_exc()
    fitting = None
    if plan is not None and is_out_of_memory(error):
        # An update leaves behind what the optimizer keeps.
        has_state = run is not None and run.step > 0
        if num_processes > 1:
            fitting = fitting_batch_size_of_several(
                plan, error, num_processes, is_made=run is not None, has_state=has_state
            )
        else:
            attempt = None if run is None else make_attempt(run.network, plan, has_state=has_state)
            fitting = fitting_batch_size(plan, error, attempt)
    return RunFailed(
        run_id=run_id,
        message=message_of(error, plan, step, fitting_batch_size=fitting, kept=checkpoint.saved_step),
        details=details,
        checkpoint=checkpoint.saved,
        fitting_batch_size=fitting,
        lost_device=str(plan.device) if plan is not None and is_device_lost(error) else None,
    )


def _beginning(plan: RunPlan, initial_weights: Path | None, folder: Path | None, resume: bool) -> Beginning | None:
    if resume:
        return None if folder is None else kept_beginning(folder)
    beginning = begin(plan.config, initial_weights)
    if folder is not None:
        keep_beginning(beginning, folder)
    return beginning


def _network(plan: RunPlan, initial_weights: Path | None) -> tuple[Network, tuple[str, ...]]:
    network = build_module(plan.architecture, seed=plan.config.seed)
    initialize(network, plan.config.init, plan.config.seed)
    notes = plan.notes
    if initial_weights is not None:
        report = carry_weights(load_weights(initial_weights), network)
        text = f"{len(report.carried)} of {len(report.carried) + len(report.reinitialised)} layers with weights start"
        text += f" from {initial_weights.name}"
        for node_id, reason in report.reinitialised.items():
            text += f"; {node_id} starts anew: {reason}"
        notes = (*notes, f"{text}.")
    return on_devices(network, plan), notes
