"""Which normalisation the images of a run get: where the configuration, the data set and the weights meet.

What it does to images is `runtime.images`. Everything that feeds a network asks here: training and the test after each
epoch, the probes of the window, and the check of an export.
"""

from dataclasses import replace
from pathlib import Path

from explorer.layers import Shape
from explorer.runs import IMAGENET, Normalization, RunConfig, parse_normalization, read_facts
from explorer.runtime.images import check_normalization
from explorer.training.data import DataSet, load_data


def settle_normalization(config: RunConfig, input_shape: Shape, initial_weights: Path | None) -> RunConfig:
    """The configuration with `auto` decided: what the weights say that a run starts from, else the data set's own.

    A run's record holds what this returns, and so says it also where the weights are long gone.

    Args:
        config: how to train.
        input_shape: the network's; weights for other channels have no say.
        initial_weights: None for fresh ones.

    Raises:
        FileNotFoundError: the data set's file is missing.
    """
    if config.normalization != "auto":
        return config
    known = (
        None
        if initial_weights is None
        else fitting_normalization(read_facts(initial_weights).normalization, config, input_shape)
    )
    return replace(config, normalization="data" if known is None else known.written)


def normalization_of_run(config: RunConfig, data: DataSet) -> Normalization:
    """What a settled configuration means for a data set."""
    if config.normalization in ("data", "auto"):
        return data.normalization
    return IMAGENET if config.normalization == "imagenet" else parse_normalization(config.normalization)


def expected_normalization(config: RunConfig, input_shape: Shape, weights: Path | None) -> Normalization:
    """What a network with these weights expects: what they were trained with, else what a run would use.

    Args:
        config: of the run to come.
        input_shape: the network's.
        weights: None for initial ones.

    Raises:
        FileNotFoundError: the data set's file is missing.
    """
    known = None if weights is None else fitting_normalization(read_facts(weights).normalization, config, input_shape)
    return known if known is not None else normalization_of_run(config, load_data(config.data, input_shape))


def normalization_note(normalization: Normalization, data: DataSet) -> str | None:
    """What a user should know of it: a sentence where it is not the data set's own."""
    if normalization == data.normalization:
        return None
    return f"Images are normalised with {normalization.text}, not with the {data.normalization.text} of {data.name}."


def weights_note(config: RunConfig, initial_weights: Path | None) -> str | None:
    """A sentence where a run takes the data set's own normalisation since its first weights say nothing of theirs.

    Args:
        config: with its normalisation decided.
        initial_weights: what the run starts from; None for fresh ones.
    """
    if initial_weights is None or config.normalization != "data":
        return None
    if read_facts(initial_weights).normalization is not None:
        return None
    name = initial_weights.stem
    return (
        f"{name} says nothing of how images were normalised for it; the data set's own mean and standard deviation are "
        "used. Choose another normalisation if you know better."
    )


def fitting_normalization(known: Normalization | None, config: RunConfig, input_shape: Shape) -> Normalization | None:
    """A normalisation if it goes with the data set and the network; None where its channels are neither's."""
    if known is None:
        return None
    try:
        check_normalization(known, load_data(config.data, input_shape).image_shape[0], input_shape[0])
    except ValueError:
        return None
    return known
