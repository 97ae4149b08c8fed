"""The command `arch-explorer`: the window, or the same work from a terminal. Each subcommand is a module of its own.

Only the module of the command that was asked for is imported, so that none waits for what another needs.
"""

import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from explorer import __version__
from explorer.cli.parser import PROGRAM, Parser, UserMistake, suggestion

# Module and summary of each subcommand.
_COMMANDS = {
    "list": ("listing", "the catalogue of networks"),
    "summary": ("summary", "shapes, parameters, costs and receptive fields of a network"),
    "profile": ("profile", "time and memory of each layer in one training step"),
    "data": ("data", "the data sets: what is here, what is in one, and downloads"),
    "train": ("train", "train a network and keep the run"),
    "recipes": ("recipes", "the named ways to train, yours among them"),
    "runs": ("runs", "the runs that are kept, and what came of them"),
    "export": ("export", "write a network as source, weights or ONNX, and check that it runs elsewhere"),
}
_USAGE_EXIT, _INTERRUPTED_EXIT, _BROKEN_PIPE_EXIT = 2, 128 + signal.SIGINT, 128 + 13


class _Command(Protocol):
    def run(self, arguments: Sequence[str]) -> int:
        """Do the work and return the exit status.

        Raises:
            UserMistake: what was received, and what would fit.
        """


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0 done, 1 failed, 2 a user's mistake, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show × shows a question mark and not a traceback.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # tests' streams lack it
    try:
        code = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except UserMistake as mistake:
        print(f"{PROGRAM}: error: {' '.join(str(mistake).split())}", file=sys.stderr)
        return _USAGE_EXIT
    except KeyboardInterrupt:
        return _INTERRUPTED_EXIT
    except BrokenPipeError:
        # Whoever read has left; the interpreter's own flush at exit must not find the pipe again.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE_EXIT
    except SystemExit as done:
        # argparse, after --help and --version.
        return done.code if isinstance(done.code, int) else 0


def _run(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in _COMMANDS:
        command = cast(_Command, importlib.import_module(f"explorer.cli.{_COMMANDS[arguments[0]][0]}"))
        return command.run(arguments[1:])
    target = _window_parser().parse_args(arguments).target
    if target is not None:
        _check_target(target)
    from explorer.app import main as open_window

    return open_window(target)


def _window_parser() -> Parser:
    commands = "\n".join(f"  {name:<10}{summary}" for name, (_, summary) in _COMMANDS.items())
    parser = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [FILE | NAME]\n       {PROGRAM} COMMAND ...",
        description="Pick or edit a convolutional network, train it, and export a model that provably runs elsewhere.",
        epilog=f"commands, each with --help:\n{commands}",
    )
    parser.add_argument("target", nargs="?", metavar="FILE | NAME", help="project file or network to open a window on")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    return parser


def _check_target(text: str) -> None:
    """A mistyped name is told here; a file, however broken, is the window's to open and to complain about."""
    if Path(text).exists():
        return
    from explorer.cli.target import looks_like_file
    from explorer.zoo import entries

    if looks_like_file(text):
        raise UserMistake(f"{text}: there is no such file")
    names = [entry.id for entry in entries()]
    if text not in names:
        where = f"`{PROGRAM} list` shows the networks, `{PROGRAM} --help` the commands"
        raise UserMistake(f"unknown network or command {text!r}; {suggestion(text, [*names, *_COMMANDS], where)}")
