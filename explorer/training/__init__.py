"""Training a network: data sets, the loop, and what it says of itself as events. Knows torch and no window."""

from explorer.training.data import DataSet, Probe, data_set_names, load_data, probe_images
from explorer.training.loop import train
from explorer.training.plan import RunPlan, plan_run

__all__ = ["DataSet", "Probe", "RunPlan", "data_set_names", "load_data", "plan_run", "probe_images", "train"]
