"""What a run will do, worked out and checked before it starts, so that a user's mistake is told at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from explorer.architecture import Architecture
from explorer.inference import Inference, infer
from explorer.inference.logits import auxiliary_heads, logits_node, on_the_way
from explorer.layers import format_shape
from explorer.runs import Normalization, RunConfig
from explorer.runs.placement import Placement, place, split_notes
from explorer.runs.steps import parse_steps
from explorer.runtime import threads
from explorer.runtime.devices import choose_devices
from explorer.runtime.images import check_normalization, input_notes
from explorer.runtime.modules import NotRunnable
from explorer.training.data import DataSet, load_data
from explorer.training.normalization import normalization_note, normalization_of_run, settle_normalization, weights_note
from explorer.training.precision import Precision, choose_precision, precision_note


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """Everything that is decided before the first step."""

    architecture: Architecture
    """As given, but its outputs are the logits and the auxiliary heads that are trained with them."""
    config: RunConfig
    """As given, but with its normalisation decided."""
    data: DataSet
    normalization: Normalization
    """Of all images that the run sees, in training, tests and pictures."""
    device: torch.device
    batch_size: int
    steps_per_epoch: int
    """The last step of an epoch may take fewer images."""
    num_parameters: int
    notes: tuple[str, ...]
    """What was decided and the user should know, one sentence each."""
    split: Placement | None = None
    """Which node computes where, for a network that two devices share."""
    first_device: torch.device | None = None
    """The other one of two; `device` has images, labels and loss."""

    @property
    def other_devices(self) -> tuple[torch.device, ...]:
        """Those beside `device`."""
        return () if self.first_device is None else (self.first_device,)

    @property
    def num_steps_total(self) -> int:
        return self.config.epochs * self.steps_per_epoch

    @property
    def precision(self) -> Precision:
        """What it computes in, in training and in tests."""
        return choose_precision(self.config.precision, self.device)

    @property
    def is_repeatable(self) -> bool:
        """Whether equal runs are to be equal to the last bit: on the CPU, where the number of threads is given. Nothing
        may be rounded otherwise then for the sake of speed."""
        return self.device.type == "cpu" and (self.config.threads > 0 or threads.are_given())

    @property
    def logits_id(self) -> str:
        """The node whose output the loss reads and the test judges."""
        return self.architecture.outputs[0]


def plan_run(
    architecture: Architecture,
    config: RunConfig,
    initial_weights: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
    is_cancelled: Callable[[], bool] | None = None,
) -> RunPlan:
    """Check that the network can be trained so, and decide the rest.

    Args:
        architecture: the network.
        config: how to train it.
        initial_weights: what the run starts from; None for fresh weights.
        progress: receives what is done while the data set is read, and the share done.
        is_cancelled: looked at meanwhile.

    Raises:
        NotRunnable: the architecture has errors.
        ValueError: it cannot be trained on this data or device; the message says what would fit.
        FileNotFoundError: the data set's file is missing.
        DataCancelled: the user ended it.
    """
    inference = infer(architecture)
    if inference.errors:
        raise NotRunnable(inference.errors[0].text)
    *others, device = choose_devices(config.device)
    data = load_data(config.data, architecture.input_shape, progress, is_cancelled)
    config = settle_normalization(config, architecture.input_shape, initial_weights)
    logits_id, logits_note = logits_node(architecture)
    _check_logits(logits_id, inference, data)
    _check_trainable(architecture, logits_id, inference)
    notes = [*input_notes(data.image_shape, architecture.input_shape)]
    notes += data.notes
    normalization = normalization_of_run(config, data)
    check_normalization(normalization, data.image_shape[0], architecture.input_shape[0])
    if (normalization_text := normalization_note(normalization, data)) is not None:
        notes.append(normalization_text)
    if (weights_text := weights_note(config, initial_weights)) is not None:
        notes.append(weights_text)
    if logits_note is not None:
        notes.append(logits_note)
    heads = auxiliary_heads(architecture, inference) if config.aux_weight > 0 else ()
    if heads:
        are = "are" if len(heads) > 1 else "is"
        notes.append(f"{' and '.join(heads)} {are} trained too, each loss times {config.aux_weight:g}.")
    if (precision_text := precision_note(config.precision, choose_precision(config.precision, device))) is not None:
        notes.append(precision_text)
    notes += _schedule_notes(config)
    num_train = len(data.train_images)
    batch_size = min(config.batch_size, num_train)
    if batch_size < config.batch_size:
        notes.append(f"Batch size {config.batch_size:,} exceeds the {num_train:,} training images; a step takes all.")
    steps_per_epoch = -(-num_train // batch_size)
    if lonely := _unfit_for_one_image(inference):
        if batch_size == 1:
            raise ValueError(f"{lonely}: cannot normalise one value a channel; use a batch_size of at least 2")
        if num_train % batch_size == 1:
            steps_per_epoch -= 1
            notes.append(f"One image sits out each epoch, since {lonely} cannot normalise a batch of one.")
    trained = replace(architecture, outputs=(logits_id, *heads))
    split = place(trained, inference) if others else None
    if split is not None:
        notes += split_notes(split, (str(others[0]), str(device)))
    return RunPlan(
        architecture=trained,
        config=config,
        data=data,
        normalization=normalization,
        device=device,
        batch_size=batch_size,
        steps_per_epoch=steps_per_epoch,
        num_parameters=inference.totals.num_parameters,
        notes=tuple(notes),
        split=split,
        first_device=others[0] if others else None,
    )


def _schedule_notes(config: RunConfig) -> list[str]:
    """What of the schedule does not come to pass within the run."""
    notes = []
    if config.schedule == "step" and not parse_steps(config.step_epochs, config.epochs):
        notes.append(
            f"The step schedule changes nothing: its first step ({config.step_epochs}) comes after the last of "
            f"{config.epochs:,} epochs has begun."
        )
    if config.schedule != "onecycle" and config.warmup_epochs > config.epochs:
        notes.append(f"The warm-up of {config.warmup_epochs:g} epochs is shortened to the run's {config.epochs:,}.")
    return notes


def _check_logits(logits_id: str, inference: Inference, data: DataSet) -> None:
    shape = inference.nodes[logits_id].output_shape
    assert shape is not None  # A network without errors is known everywhere.
    num_classes = len(data.class_names)
    if len(shape) != 1:
        raise ValueError(
            f"{logits_id}: the output trained on is {format_shape(shape)}; {data.name} needs a vector of {num_classes} "
            f"logits; end with Flatten and Linear of {num_classes} out_features"
        )
    if shape[0] < num_classes:
        raise ValueError(
            f"{logits_id}: {shape[0]} logits for the {num_classes} classes of {data.name}; use at least {num_classes}"
        )


def _check_trainable(architecture: Architecture, logits_id: str, inference: Inference) -> None:
    path = on_the_way(architecture, logits_id)
    if not any(inference.nodes[node_id].num_parameters for node_id in path):
        raise ValueError(f"{logits_id}: nothing on the way to it has weights to train; add a Conv2d or a Linear")
    if not any(inference.nodes[node_id].num_trainable for node_id in path):
        raise ValueError(f"{logits_id}: everything on the way to it is frozen; let training change at least one layer")


def _unfit_for_one_image(inference: Inference) -> str | None:
    """The first layer that torch refuses to train on one image: a variance of one value is no estimate."""
    for node_id, report in inference.nodes.items():
        shapes = tuple(shape for shape in report.input_shapes if shape is not None)
        # A frozen norm that keeps statistics normalises by them, however many images there are.
        keeps_statistics = report.context.frozen and bool(report.num_buffers)
        if report.output_shape is not None and report.layer.needs_several_images(shapes) and not keeps_statistics:
            return node_id
    return None
