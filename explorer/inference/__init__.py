"""Everything that follows from an architecture, in closed form and pure Python; torch is the oracle in the tests."""

from explorer.inference.arithmetic import arithmetic
from explorer.inference.change import Change, changed
from explorer.inference.infer import infer
from explorer.inference.inference import Inference
from explorer.inference.receptive_field import ReceptiveField
from explorer.inference.report import Issue, NodeReport, Repair, Totals

__all__ = [
    "Change",
    "Inference",
    "Issue",
    "NodeReport",
    "ReceptiveField",
    "Repair",
    "Totals",
    "arithmetic",
    "changed",
    "infer",
]
