"""What NAME | FILE on the command line stands for."""

import os
from pathlib import Path

from explorer.architecture import Architecture, ArchitectureFileError
from explorer.architecture.files import load
from explorer.cli.parser import PROGRAM, UserMistake, suggestion
from explorer.inference import infer
from explorer.zoo import entries, entry


def looks_like_file(text: str) -> bool:
    """Whether a text that is no existing file was meant as one: it has a folder or a suffix."""
    return os.sep in text or "/" in text or Path(text).suffix != ""


def is_project(text: str) -> bool:
    """Whether it stands for a project file, and not for a network of the catalogue."""
    return text not in {known.id for known in entries()} and (Path(text).exists() or looks_like_file(text))


def load_network(text: str) -> Architecture:
    """The network of a catalogue name or of a project file; a file called like a network is `./name`.

    Raises:
        UserMistake: neither; or a file that is no project.
    """
    if is_project(text):
        try:
            return load(Path(text)).architecture
        except ArchitectureFileError as error:
            raise UserMistake(str(error)) from error
    names = [known.id for known in entries()]
    if text not in names:
        raise UserMistake(f"unknown network {text!r}; {suggestion(text, names, f'`{PROGRAM} list` shows them')}")
    return entry(text).build()


def check_runnable(architecture: Architecture) -> None:
    """Refuse a network that torch could not run.

    Raises:
        UserMistake: its first fault.
    """
    errors = infer(architecture).errors
    if errors:
        raise UserMistake(f"{architecture.name} has a fault: {errors[0].text}")
