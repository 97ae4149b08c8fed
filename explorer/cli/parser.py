"""argparse, but a mistake is an exception with one line that says what would fit."""

import argparse
import difflib
import re
from collections.abc import Iterable
from typing import Any, NoReturn

PROGRAM = "arch-explorer"


class UserMistake(Exception):  # noqa: N818 - it says whose
    """What the user asked for cannot be; the message says what was received and what would fit."""


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are raised as `UserMistake`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message, with near matches where an option is not known."""
        received = re.fullmatch(r"unrecognized arguments: (--?[\w-]+).*", message)
        if received:
            known = [option for action in self._actions for option in action.option_strings]
            message = f"unknown option {received[1]}; {suggestion(received[1], known, f'see {self.prog} --help')}"
        raise UserMistake(message)


def suggestion(received: str, known: Iterable[str], otherwise: str) -> str:
    """The known words nearest to what was received; where none is near, a list of all would not be read."""
    near = difflib.get_close_matches(received, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else otherwise
