"""How a run is to be trained: one frozen value, and the description of its fields.

The window's form, the command line's options and the checks all read `CONFIG_FIELDS`, so a field's meaning, range,
default, group and condition are said once, where `RunConfig` declares it; what a field is, is `config_fields`. What is
trained is the architecture, which lives elsewhere.
"""

import difflib
import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from explorer.runs.augmentation import NO_AUGMENTATION, canonical_augmentation
from explorer.runs.config_fields import (
    Condition,
    ConfigField,
    ConfigValue,
    choice,
    described_fields,
    flag,
    real,
    text,
    whole,
)
from explorer.runs.data_sources import DATA_IDS, DIGITS, FOLDER_FORM, read_folder_name
from explorer.runs.preprocessing import parse_normalization
from explorer.runs.steps import canonical_steps

_MOST_EPOCHS = 100_000


_ONE_DEVICE = "cuda:(0|[1-9][0-9]{0,3})"


def _gpu_or_two(value: str) -> str:
    """One GPU, or two devices that share the network; the CPU may be one, or both to try what a split does."""
    if re.fullmatch(rf"{_ONE_DEVICE}|(cpu|{_ONE_DEVICE})\+(cpu|{_ONE_DEVICE})", value) is None:
        raise ValueError(f"{value!r} is no device")
    return value


def _own_normalization(value: str) -> str:
    return parse_normalization(value).written


def _schedules(*names: str) -> Condition:
    those = f"{names[0]} schedule uses" if len(names) == 1 else f"{' and '.join(names)} schedules use"
    return Condition(lambda config: config.schedule in names, f"Only the {those} it.")


_HAS_MOMENTUM = Condition(
    lambda config: config.optimizer in {"sgd", "rmsprop"},
    "Adam and AdamW do not use it: they keep averages of their own.",
)
_NESTEROV = Condition(
    lambda config: config.optimizer == "sgd" and config.momentum > 0, "Only SGD with a momentum above 0 uses it."
)
_WARMS_UP = Condition(lambda config: config.schedule != "onecycle", "The onecycle schedule rises by itself.")
_MAY_BE_CUDA = Condition(lambda config: config.device not in {"cpu", "mps"}, "Only CUDA devices have them.")
_MAY_COMPILE = Condition(
    lambda config: (
        config.processes == 1 and config.device != "mps" and not (config.threads and config.device in {"auto", "cpu"})
    ),
    "Only a single process compiles, not on MPS, and not with a given number of threads, where equal runs are equal.",
)
_DECAYS = Condition(lambda config: config.weight_decay > 0, "Without weight decay it changes nothing.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """How to train: data, optimizer, schedule, length, seed and device. `CONFIG_FIELDS` describes each field.

    Raises:
        ValueError: a value does not fit its field; the message names the field, what was received and what would fit.
    """

    data: str = choice(
        DIGITS,
        DATA_IDS,
        option="--data",
        group="essentials",
        title="Data set",
        help="Data set: digits is the 5,000 MNIST images that come along; the others are downloaded once. folder:PATH "
        "is a folder of images with one folder a class, which may lie in train and val.",
        more_choices=FOLDER_FORM,
        read_more=read_folder_name,
    )
    epochs: int = whole(
        10,
        1,
        _MOST_EPOCHS,
        1,
        option="--epochs",
        group="essentials",
        help="How many times the run goes through the training images.",
    )
    batch_size: int = whole(
        64, 1, 65_536, 16, option="--batch-size", group="essentials", help="Images in one optimizer step."
    )
    optimizer: Literal["sgd", "adam", "adamw", "rmsprop"] = choice(
        "sgd",
        ("sgd", "adam", "adamw", "rmsprop"),
        option="--optimizer",
        group="essentials",
        help="Rule that turns gradients into updates: torch's SGD, Adam, AdamW or RMSprop.",
    )
    learning_rate: float = real(
        0.02,
        1e-8,
        100.0,
        0.01,
        option="--lr",
        group="essentials",
        help="Factor on each update, at its highest where a schedule changes it; can be changed while running. About "
        "0.02 suits SGD with momentum, 0.001 Adam.",
    )
    schedule: Literal["constant", "step", "cosine", "onecycle", "plateau"] = choice(
        "constant",
        ("constant", "step", "cosine", "onecycle", "plateau"),
        option="--schedule",
        group="essentials",
        help="How the learning rate goes on. step multiplies it after certain epochs, cosine lowers it along half a "
        "cosine to the last step, onecycle raises it first, plateau multiplies it when the test loss stops falling.",
    )
    warmup_epochs: float = real(
        0.0,
        0.0,
        1000.0,
        0.5,
        option="--warmup-epochs",
        group="schedule",
        title="Warm-up epochs",
        condition=_WARMS_UP,
        help="Epochs over which the learning rate rises to its full value, in equal parts a step (Goyal et al. 2017, "
        "section 2.2); fractions are allowed, 0 is none.",
    )
    step_epochs: str = text(
        "every 5",
        option="--step-epochs",
        group="schedule",
        title="Step after",
        condition=_schedules("step"),
        help="After which epochs the step schedule multiplies the learning rate: 30,60 after the 30th and the 60th, "
        "every 5 after each fifth.",
        fits="epochs as 30,60, or every N",
        read=canonical_steps,
    )
    gamma: float = real(
        0.1,
        0.001,
        1.0,
        0.1,
        option="--gamma",
        group="schedule",
        condition=_schedules("step", "plateau"),
        help="What the step and plateau schedules multiply the learning rate by.",
    )
    plateau_patience: int = whole(
        3,
        0,
        1000,
        1,
        option="--plateau-patience",
        group="schedule",
        title="Patience",
        condition=_schedules("plateau"),
        help="Epochs without a lower test loss that the plateau schedule puts up with before it multiplies.",
    )
    rise_share: float = real(
        0.3,
        0.01,
        0.99,
        0.05,
        option="--rise-share",
        group="schedule",
        title="Rising share",
        condition=_schedules("onecycle"),
        help="Share of the run in which the onecycle schedule rises; torch's pct_start. It starts at a 25th of the "
        "learning rate and ends at a 250,000th.",
    )
    final_share: float = real(
        0.0,
        0.0,
        1.0,
        0.01,
        option="--final-share",
        group="schedule",
        title="Lowest share",
        condition=_schedules("cosine", "plateau"),
        help="Share of the learning rate that the cosine schedule ends at, and that plateau does not go below.",
    )
    momentum: float = real(
        0.9,
        0.0,
        0.9999,
        0.05,
        option="--momentum",
        group="optimizer",
        condition=_HAS_MOMENTUM,
        help="Share of the last update that SGD and RMSprop carry on.",
    )
    nesterov: bool = flag(
        False,
        option="--nesterov",
        group="optimizer",
        condition=_NESTEROV,
        help="Look ahead along the momentum before taking the gradient's direction (Sutskever et al. 2013).",
    )
    clip_norm: float = real(
        0.0,
        0.0,
        10_000.0,
        1.0,
        option="--clip-norm",
        group="optimizer",
        title="Clip gradients",
        help="Gradients whose norm, over all weights together, is larger are shortened to it (Pascanu et al. 2013); 0 "
        "is no limit.",
    )
    weight_decay: float = real(
        0.0,
        0.0,
        1.0,
        0.0001,
        option="--weight-decay",
        group="regularisation",
        help="Factor of the L2 penalty: this share of each weight joins its gradient. AdamW takes the share of the "
        "weight itself, times the learning rate (Loshchilov and Hutter 2019).",
    )
    decay_norms: bool = flag(
        False,
        option="--decay-norms",
        group="regularisation",
        title="Biases and norms too",
        condition=_DECAYS,
        help="Weight decay for biases and normalisation layers too; otherwise only for the weights of convolutions and "
        "linear layers (He et al. 2019, section 3.1).",
    )
    label_smoothing: float = real(
        0.0,
        0.0,
        0.9,
        0.05,
        option="--label-smoothing",
        group="regularisation",
        help="Share of each label that is spread evenly over all classes (Szegedy et al. 2016, section 7).",
    )
    aux_weight: float = real(
        0.3,
        0.0,
        10.0,
        0.1,
        option="--aux-weight",
        group="regularisation",
        title="Aux. weight",
        help="Weight of the loss of each further output that gives scores of the same classes, as GoogLeNet's "
        "auxiliary heads do: 0.3 in Szegedy et al. 2014, section 5; 0 leaves them untrained.",
    )
    augmentation: str = text(
        NO_AUGMENTATION,
        option="--augment",
        group="augmentation",
        help="Random changes to the training images, with their strengths: flip,crop:4 is a horizontal flip and a crop "
        "after 4 pixels of padding; none is none.",
        fits="transforms as flip:0.5,crop:4, or none",
        read=canonical_augmentation,
    )
    normalization: str = choice(
        "auto",
        ("auto", "data", "imagenet"),
        option="--normalization",
        group="start",
        title="Normalise",
        help="What is subtracted from each channel of the images, and divided by. auto takes what the weights that the "
        "run starts from were trained with, where that is known, else the data set's own mean and standard deviation; "
        "data always takes the data set's own; imagenet is 0.485,0.456,0.406/0.229,0.224,0.225.",
        more_choices="MEAN,…/STD,…",
        read_more=_own_normalization,
    )
    init: Literal["default", "xavier-uniform", "xavier-normal", "kaiming-uniform", "kaiming-normal"] = choice(
        "default",
        ("default", "xavier-uniform", "xavier-normal", "kaiming-uniform", "kaiming-normal"),
        option="--init",
        group="start",
        title="Initial weights",
        help="How convolutions and linear layers start: as torch does, after Glorot and Bengio 2010 (Xavier), or after "
        "He et al. 2015 for ReLU (Kaiming). Biases start as torch does; weights that are given are not touched.",
    )
    seed: int = whole(
        0,
        0,
        2**31 - 1,
        1,
        option="--seed",
        group="start",
        help="Start of the random numbers: equal seeds give equal weights and image order.",
    )
    device: str = choice(
        "auto",
        ("auto", "cpu", "cuda", "mps"),
        option="--device",
        group="essentials",
        help="Where it trains: auto takes CUDA where there is one, else MPS, else the CPU; cuda:1 is the second GPU. "
        "cuda:0+cuda:1 splits the network between two, a tower on each where it has two towers.",
        more_choices="cuda:N or cuda:N+cuda:N",
        read_more=_gpu_or_two,
    )
    precision: Literal["auto", "float32", "tf32", "bfloat16", "float16"] = choice(
        "auto",
        ("auto", "float32", "tf32", "bfloat16", "float16"),
        option="--precision",
        group="start",
        help="Numbers that it computes in. bfloat16 and float16 are mixed precision: convolutions and linear layers "
        "compute in 16 bits, weights and loss in float32 (Micikevicius et al. 2018). tf32 rounds what CUDA multiplies. "
        "auto is bfloat16 on CUDA devices with units for it, or tf32 where steps that are replayed (CUDA graphs) are "
        "found to be faster in it, else float32; a run on the CPU of more than some seconds "
        "tries whether its processor is faster in bfloat16, but not where the number of threads is given.",
    )
    cuda_graphs: bool = flag(
        True,
        option="--cuda-graphs",
        group="start",
        title="CUDA graphs",
        condition=_MAY_BE_CUDA,
        help="On a CUDA device, the steps of a small network are replayed from one recording, where that is found "
        "before the start to be faster and to give the same weights but for rounding.",
    )
    compile: bool = flag(
        True,
        option="--compile",
        group="start",
        title="Compile long runs",
        condition=_MAY_COMPILE,
        help="Where a network has norms and the run has long enough to go, torch compiles its step in a process beside "
        "it. The run takes it over if it is then found to be faster and to give the same weights; sums are rounded "
        "otherwise. It needs a C++ compiler, on CUDA devices Triton.",
    )
    threads: int = whole(
        0,
        0,
        1024,
        1,
        option="--threads",
        group="start",
        title="CPU threads",
        help="Threads of a step on the CPU. 0 measures as it goes whether many or one are faster, which depends on "
        "what else the machine does; large networks then differ from run to run in their last bits. A number is kept, "
        "and equal runs are equal.",
    )
    processes: int = whole(
        1,
        1,
        64,
        1,
        option="--processes",
        group="processes",
        help="How many processes of this machine train together, each on a GPU of its own, or all on the CPU; "
        "torchrun, which goes beyond one machine, has the last word.",
    )
    sync_batchnorm: bool = flag(
        False,
        option="--sync-batchnorm",
        group="processes",
        title="Shared batch norm",
        help="With several processes, batch normalisation takes its statistics from the whole batch and not from each "
        "process's share of it.",
    )
    scale_with_processes: bool = flag(
        False,
        option="--scale-with-processes",
        group="processes",
        title="Batch and rate grow",
        help="With several processes, the batch size is that of each of them, and the learning rate is multiplied by "
        "their number (the linear rule: Goyal et al. 2017, section 2.1); otherwise the batch is shared out among them, "
        "and the run is that of one process.",
    )
    early_stopping: int = whole(
        0,
        0,
        _MOST_EPOCHS,
        1,
        option="--early-stopping",
        group="end",
        title="Stop early",
        help="Ends the run after this many epochs without a lower test loss; 0 never does.",
    )
    keep_best: bool = flag(
        False,
        option="--keep-best",
        group="end",
        help="Also keeps the weights of the epoch with the highest test accuracy, beside the last ones.",
    )

    def __post_init__(self) -> None:
        for field in CONFIG_FIELDS:
            object.__setattr__(self, field.name, field.check(getattr(self, field.name)))

    def to_plain(self) -> dict[str, ConfigValue]:
        """All fields by name, ready for JSON."""
        return {field.name: getattr(self, field.name) for field in CONFIG_FIELDS}

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> Self:
        """The configuration in a mapping, such as a JSON object; absent fields take their defaults.

        Raises:
            ValueError: not a mapping, an unknown field (with near matches), or a value that does not fit.
        """
        if not isinstance(plain, Mapping):
            raise ValueError(f"run configuration: received {reprlib.repr(plain)}; use an object of named fields")
        known = [field.name for field in CONFIG_FIELDS]
        for name in plain:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5) or sorted(known)
                raise ValueError(f"run configuration: unknown field {name!r}; did you mean {' or '.join(near)}?")
        values: dict[str, Any] = dict(plain)
        return cls(**values)


CONFIG_FIELDS: tuple[ConfigField, ...] = described_fields(RunConfig)
"""Every field of `RunConfig`, in the order in which a form shows them within its group."""


def config_field(name: str) -> ConfigField:
    """The description of one field of `RunConfig`, by its name."""
    return next(field for field in CONFIG_FIELDS if field.name == name)
