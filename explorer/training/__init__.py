"""Training a network: data sets, the loop, and what it says of itself as events. Knows torch and no window."""

from explorer.training.data import DataSet, data_set_names, load_data, network_inputs
from explorer.training.loop import train
from explorer.training.normalization import expected_normalization, normalization_of_run, settle_normalization
from explorer.training.plan import RunPlan, plan_run

__all__ = [
    "DataSet",
    "RunPlan",
    "data_set_names",
    "expected_normalization",
    "load_data",
    "network_inputs",
    "normalization_of_run",
    "plan_run",
    "settle_normalization",
    "train",
]
