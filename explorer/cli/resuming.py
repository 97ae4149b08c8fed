"""`arch-explorer train --resume`: a run that was stopped or broke goes on from its last checkpoint."""

import argparse

from explorer.architecture import ArchitectureFileError
from explorer.cli.parser import UserMistake
from explorer.cli.run_result import conduct
from explorer.runs import CONFIG_FIELDS, RunControl, config_field

_ALLOWED = ("learning_rate", "device")


def resume(options: argparse.Namespace) -> int:
    """Go on with the run that `--resume` names.

    Raises:
        UserMistake: no such run, nothing to go on from, or another option that a run cannot change on the way.
    """
    _check(options)
    control = RunControl()
    if options.learning_rate is not None:
        field = config_field("learning_rate")
        try:
            control.set_learning_rate(float(field.parse(options.learning_rate)))
        except ValueError as error:
            raise UserMistake(str(error).replace(f"{field.name}:", f"{field.option}:", 1)) from error
    device = options.device
    if device is not None:
        field = config_field("device")
        try:
            device = str(field.parse(device))
        except ValueError as error:
            raise UserMistake(str(error).replace(f"{field.name}:", f"{field.option}:", 1)) from error
    from explorer.runtime import threads

    threads.prepare()
    from explorer.training.checkpoint import CheckpointError
    from explorer.training.recorded import resume_recorded

    try:
        return conduct(
            lambda emit, control: resume_recorded(options.resume, emit, control, device=device),
            control,
            as_json=options.json,
        )
    except (CheckpointError, ArchitectureFileError) as error:
        raise UserMistake(str(error)) from error


def _check(options: argparse.Namespace) -> None:
    given = [field.option for field in CONFIG_FIELDS if getattr(options, field.name) is not None]
    unfit = [option for option in given if option not in {config_field(name).option for name in _ALLOWED}]
    for name in ("recipe", "weights"):
        if getattr(options, name, None) is not None:
            unfit.append(f"--{name}")
    if options.network is not None:
        unfit.append(options.network)
    if unfit:
        raise UserMistake(f"--resume goes on as the run began; received {', '.join(unfit)} as well; leave it out")
