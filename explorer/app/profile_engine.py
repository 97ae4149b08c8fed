"""Where profiling meets torch: the functions that its threads run. torch is imported inside them, never before."""

from collections.abc import Callable

from explorer.app.loading import load
from explorer.architecture import Architecture
from explorer.runs import RunConfig
from explorer.runs.profile import ProfileRefused, SpeedEstimate, StepProfile
from explorer.runtime import threads


def profile(
    architecture: Architecture,
    config: RunConfig,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> StepProfile | ProfileRefused:
    """Profile one step; called in a job's thread.

    Raises:
        RehearsalCancelled: the user, or a run that starts, ended it.
        ValueError: the network could not be trained so; the message says what would fit.
    """
    load()
    from explorer.training.profile import LacksMemory, profile_step

    threads.choose_threads()
    try:
        return profile_step(architecture, config, progress=progress, is_cancelled=cancelled)
    except LacksMemory as error:
        return ProfileRefused(message=str(error), fitting_batch_size=error.fitting_batch_size)


def probe_speed(architecture: Architecture, config: RunConfig, cancelled: Callable[[], bool]) -> SpeedEstimate:
    """Estimate how long training would take; called in a job's thread.

    Raises:
        RehearsalCancelled: the user, or a run that starts, ended it.
        ValueError: the network could not be trained so; the message says what would fit.
    """
    load()
    from explorer.training import probe_speed

    threads.choose_threads()
    return probe_speed.probe_speed(architecture, config, is_cancelled=cancelled)
