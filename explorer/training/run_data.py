"""A run's data set brought into memory before its record begins: said as it goes, and ended at once by Stop."""

from collections.abc import Callable

from explorer.layers import Shape
from explorer.runs import DataProgress, Event, RunConfig, RunControl, RunFinished
from explorer.training.data import DataCancelled, load_data


def bring_data(
    config: RunConfig, input_shape: Shape, emit: Callable[[Event], None], control: RunControl, run_id: str = ""
) -> bool:
    """Read the data set, so that planning finds it in memory; False if the run was stopped meanwhile.

    What is wrong with a data set is told by `plan_run`, as any other reason for which a run cannot begin.

    Args:
        config: of the run.
        input_shape: the network's `(C, H, W)`.
        emit: receives `DataProgress`, some times a second.
        control: whose stop ends it.
        run_id: of the run's record; empty where that has not begun.
    """

    def say(text: str, share: float) -> None:
        emit(DataProgress(run_id=run_id, text=text, share=share))

    try:
        load_data(config.data, input_shape, say, lambda: control.stop_requested)
    except DataCancelled:
        return False
    except Exception:
        return True
    return not control.stop_requested


def stopped_before_start(run_id: str = "", step: int = 0, seconds: float = 0.0) -> RunFinished:
    """The end of a run that was stopped before it began, or began again after `step`."""
    return RunFinished(
        run_id=run_id,
        reason="stopped",
        step=step,
        seconds=seconds,
        checkpoint=None,
        train_loss=None,
        train_accuracy=None,
        test_accuracy=None,
        images_per_second=None,
    )
