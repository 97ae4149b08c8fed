"""A run, seen from outside: how it is configured, what it says, what it can be told, and how it is remembered.

`RunConfig` says how to train; the trainer answers with the events of `events`, which wait in a `Mailbox`; `RunControl`
pauses, steps and stops it, and says what is looked at; `RunStore` keeps every run on disk. Standard library and numpy
only, so that the window, the command line and the trainer can all share it; the training itself is `explorer.training`.
"""

from explorer.runs.config import CONFIG_FIELDS, RunConfig, config_field
from explorer.runs.config_fields import GROUP_TITLES, GROUPS, ConfigField, ConfigValue
from explorer.runs.control import RunControl, Watch
from explorer.runs.database import NewerStoreError, RunStoreError, UnknownRunError
from explorer.runs.events import (
    Atlas,
    CheckpointSaved,
    ClassesTested,
    DataProgress,
    EpochFinished,
    Event,
    FeatureMapsCaptured,
    RunFailed,
    RunFinished,
    RunNoted,
    RunStarted,
    StateChanged,
    StepsRecorded,
    TroubleMet,
)
from explorer.runs.looks import MOST_PROBES, Look, Probe, merged
from explorer.runs.mailbox import Mailbox
from explorer.runs.observed import (
    Histogram,
    LayersMeasured,
    LayersOpened,
    LayerStatistics,
    Observed,
    OpenedLayer,
    ProbeAnswer,
    ProbesExplained,
    WeightPictures,
    WeightsCaptured,
)
from explorer.runs.paths import HOME_VARIABLE, default_root
from explorer.runs.preprocessing import IMAGENET, Normalization, Resizing, parse_normalization
from explorer.runs.project_weights import ProjectWeightsError, SavedWeights
from explorer.runs.records import RunHistory, RunRecord, RunState
from explorer.runs.store import RunStore
from explorer.runs.weights_facts import WeightsFacts, read_facts

__all__ = [
    "CONFIG_FIELDS",
    "GROUPS",
    "GROUP_TITLES",
    "HOME_VARIABLE",
    "IMAGENET",
    "MOST_PROBES",
    "Atlas",
    "CheckpointSaved",
    "ClassesTested",
    "ConfigField",
    "ConfigValue",
    "DataProgress",
    "EpochFinished",
    "Event",
    "FeatureMapsCaptured",
    "Histogram",
    "LayerStatistics",
    "LayersMeasured",
    "LayersOpened",
    "Look",
    "Mailbox",
    "NewerStoreError",
    "Normalization",
    "Observed",
    "OpenedLayer",
    "Probe",
    "ProbeAnswer",
    "ProbesExplained",
    "ProjectWeightsError",
    "Resizing",
    "RunConfig",
    "RunControl",
    "RunFailed",
    "RunFinished",
    "RunHistory",
    "RunNoted",
    "RunRecord",
    "RunStarted",
    "RunState",
    "RunStore",
    "RunStoreError",
    "SavedWeights",
    "StateChanged",
    "StepsRecorded",
    "TroubleMet",
    "UnknownRunError",
    "Watch",
    "WeightPictures",
    "WeightsCaptured",
    "WeightsFacts",
    "config_field",
    "default_root",
    "merged",
    "parse_normalization",
    "read_facts",
]
