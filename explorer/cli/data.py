"""`arch-explorer data`: which data sets there are, what is in one, and how one comes onto this computer."""

import json
import sys
import threading
from collections.abc import Sequence

from explorer.cli.interrupt import on_interrupt
from explorer.cli.parser import PROGRAM, Parser, UserMistake
from explorer.cli.progress import Progress
from explorer.cli.table import table
from explorer.layers import Shape, format_shape
from explorer.look.numbers import short_bytes
from explorer.look.transfers import said
from explorer.runs import config_field
from explorer.runs.data_facts import DataFacts
from explorer.runs.data_sources import DATA_SOURCES, DIGITS, FOLDER_FORM, data_source, data_title, folder_of

_INTERRUPTED_EXIT = 130
_MOST_PROBLEMS = 20
_DEFAULT_INPUT = "3x224x224"


def run(arguments: Sequence[str]) -> int:
    """List the data sets, describe one, or download one."""
    parser = Parser(prog=f"{PROGRAM} data", description="The data sets: what is here, what can be downloaded.")
    parser.add_argument("name", nargs="?", metavar=f"NAME | {FOLDER_FORM}", help="one data set, to see what is in it")
    parser.add_argument("--download", action="store_true", help="fetch it, also where it is here already")
    parser.add_argument(
        "--input",
        default=_DEFAULT_INPUT,
        metavar="CxHxW",
        help=f"the size that photographs are decoded to ({_DEFAULT_INPUT})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args(arguments)
    if options.name is None:
        if options.download:
            raise UserMistake("--download: name the data set to fetch, as in `data fashion-mnist --download`")
        return _list(as_json=options.json)
    try:
        name = str(config_field("data").check(options.name))
    except ValueError as error:
        raise UserMistake(str(error)) from error
    shape = _shape(options.input)
    from explorer.runtime import threads

    threads.prepare()
    if options.download and not download(name):
        return _INTERRUPTED_EXIT
    from explorer.training.data import DataCancelled, load_data
    from explorer.training.data.describe import describe

    stopped, progress = threading.Event(), Progress(sys.stderr)
    try:
        with on_interrupt(stopped.set):
            facts = describe(load_data(name, shape, progress.read, stopped.is_set), shape)
    except DataCancelled:
        return _INTERRUPTED_EXIT
    except ValueError as error:
        raise UserMistake(str(error)) from error
    finally:
        progress.close()
    print(json.dumps(_plain(facts), ensure_ascii=False) if options.json else _text(facts))
    return 0


def bring(name: str) -> bool:
    """Download a data set if it is not on this computer, saying so; False if the user ended it.

    Raises:
        UserMistake: it cannot be fetched; says what helps.
    """
    from explorer.training.data import data_states

    if folder_of(name) is not None or any(state.name == name and state.is_here for state in data_states()):
        return True
    return download(name)


def download(name: str) -> bool:
    """Download a data set, with progress on standard error; False if the user ended it.

    Raises:
        UserMistake: as `bring`.
    """
    from explorer.runtime.download import DownloadCancelled, DownloadError
    from explorer.training.data.fetch import fetch_data

    stopped = threading.Event()
    moves = sys.stderr.isatty()
    spoken: set[str] = set()

    def say(text: str, share: float) -> None:
        if moves:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
        elif (step := f"{text.partition(':')[0]} {share * 4:.0f}") not in spoken:
            spoken.add(step)  # A log gets a line each quarter.
            print(text, file=sys.stderr)

    try:
        with on_interrupt(stopped.set):
            place = fetch_data(name, said(say), stopped.is_set)
    except DownloadCancelled:
        print(
            f"{PROGRAM}: the download was stopped; what arrived is kept where the server gives parts of files",
            file=sys.stderr,
        )
        return False
    except (DownloadError, ImportError) as error:
        raise UserMistake(str(error)) from error
    finally:
        if moves:
            sys.stderr.write("\r\x1b[K")
    print(f"{data_title(name)} lies in {place}", file=sys.stderr)
    return True


def _list(*, as_json: bool) -> int:
    from explorer.runtime import threads

    threads.prepare()
    from explorer.training.data import data_states

    places = {state.name: state for state in data_states()}
    if as_json:
        found = [
            {
                "id": source.id,
                "title": source.title,
                "num_classes": source.num_classes,
                "num_train": source.num_train,
                "num_test": source.num_test,
                "image_shape": source.image_shape,
                "download_bytes": source.download_bytes,
                "is_here": places[source.id].is_here,
                "place": places[source.id].place or None,
            }
            for source in DATA_SOURCES
        ]
        print(json.dumps({"data_sets": found}, ensure_ascii=False))
        return 0
    rows = []
    for source in DATA_SOURCES:
        state = places[source.id]
        where = (
            f"to download, {short_bytes(source.download_bytes)}" if not state.is_here else state.place or "comes along"
        )
        size = format_shape(source.image_shape) if source.image_shape is not None else "photographs"
        counts = (f"{source.num_train:,}", f"{source.num_test:,}", str(source.num_classes))
        rows.append([source.id, source.title, *counts, size, where])
    header = ("name", "title", "training", "test", "classes", "images", "where")
    print(table(header, rows, (False, False, True, True, True, True, False)))
    print(f"{FOLDER_FORM}: any folder of images with one folder a class")
    return 0


def _plain(facts: DataFacts) -> dict[str, object]:
    source = data_source(facts.name)
    return {
        "id": facts.name,
        "title": data_title(facts.name),
        "is_included": source is not None and source.id == DIGITS,
        "image_shape": facts.image_shape,
        "mean": facts.mean,
        "std": facts.std,
        "fingerprint": facts.fingerprint,
        "classes": [
            {"name": name, "num_train": train, "num_test": test}
            for name, train, test in zip(facts.class_names, facts.train_counts, facts.test_counts, strict=True)
        ],
        "sizes": [size._asdict() for size in facts.sizes],
        "problems": [problem._asdict() for problem in facts.problems],
        "num_skipped": sum(problem.is_skipped for problem in facts.problems),
    }


def _text(facts: DataFacts) -> str:
    mean, std = (", ".join(f"{value:.4f}" for value in values) for values in (facts.mean, facts.std))
    rows = [
        [name, f"{train:,}", f"{test:,}"]
        for name, train, test in zip(facts.class_names, facts.train_counts, facts.test_counts, strict=True)
    ]
    rows.append(["all", f"{facts.num_train:,}", f"{facts.num_test:,}"])
    lines = [
        f"{data_title(facts.name)}: images of {format_shape(facts.image_shape)}, mean {mean}, std {std}",
        table(("class", "training", "test"), rows, (False, True, True)),
    ]
    if facts.problems:
        num_skipped = sum(problem.is_skipped for problem in facts.problems)
        lines.append(f"{num_skipped:,} skipped, {len(facts.problems) - num_skipped:,} remarks")
        lines += [f"  {problem.path}: {problem.reason}" for problem in facts.problems[:_MOST_PROBLEMS]]
        if len(facts.problems) > _MOST_PROBLEMS:
            lines.append(f"  and {len(facts.problems) - _MOST_PROBLEMS:,} more; --json lists all")
    return "\n".join(lines)


def _shape(text: str) -> Shape:
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdecimal() and 1 <= int(part) <= 4096 for part in parts):
        raise UserMistake(f"--input: received {text!r}; use channels, height and width: {_DEFAULT_INPUT}")
    return tuple(int(part) for part in parts)
