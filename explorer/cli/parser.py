"""argparse, but a mistake is an exception with one line that says what would fit."""

import argparse
import difflib
import re
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
            near = difflib.get_close_matches(received[1], known, n=3, cutoff=0.5) or known
            message = f"unknown option {received[1]}; did you mean {' or '.join(near)}?"
        raise UserMistake(message)
