"""What a run says, as the tests of `RunSession` need it."""

import numpy as np

from explorer.runs import Atlas, RunConfig, RunFinished, RunStarted, StepsRecorded


def started() -> RunStarted:
    return RunStarted(
        run_id="r",
        config=RunConfig(),
        architecture_name="x",
        device="cpu",
        num_train=1,
        num_test=1,
        steps_per_epoch=1,
        num_parameters=1,
        notes=(),
    )


def atlas() -> Atlas:
    return Atlas(
        image=np.zeros((4, 4), np.uint8),
        num_channels=1,
        columns=1,
        tile_height=4,
        tile_width=4,
        gap=0,
        minimum=0,
        maximum=1,
    )


def recorded(step: int) -> StepsRecorded:
    return StepsRecorded(
        run_id="r",
        first_step=step,
        losses=np.zeros(1, np.float32),
        accuracies=np.zeros(1, np.float32),
        learning_rate=0.1,
        epoch=1,
        images_per_second=1.0,
        seconds_left=None,
        num_steps_total=10,
    )


def finished(step: int) -> RunFinished:
    return RunFinished(
        run_id="r",
        reason="stopped",
        step=step,
        seconds=1.0,
        checkpoint="weights",
        train_loss=0.0,
        train_accuracy=0.0,
        test_accuracy=0.0,
        images_per_second=1.0,
    )
