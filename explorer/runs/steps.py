"""After which epochs the step schedule multiplies the learning rate: the written form and what it means."""

import re

_MOST = 100_000


def parse_steps(written: str, epochs: int) -> tuple[int, ...]:
    """The epochs after which it does, in order, of a run of that many; after its last one nothing is left to change.

    Args:
        written: `30,60` for after the 30th and the 60th, `every 5` for after each fifth.
        epochs: the length of the run.

    Raises:
        ValueError: of another form.
    """
    every = re.fullmatch(r"every\s+([0-9]+)", written.strip())
    if every is not None:
        return tuple(range(_epoch(written, every[1]), epochs, int(every[1])))
    found = {_epoch(written, part) for part in written.split(",")}
    return tuple(epoch for epoch in sorted(found) if epoch < epochs)


def canonical_steps(written: str) -> str:
    """The one spelling: in order, each epoch once.

    Raises:
        ValueError: of another form.
    """
    every = re.fullmatch(r"every\s+([0-9]+)", written.strip())
    if every is not None:
        return f"every {_epoch(written, every[1])}"
    return ",".join(str(epoch) for epoch in sorted({_epoch(written, part) for part in written.split(",")}))


def _epoch(written: str, part: str) -> int:
    if re.fullmatch(r"\s*[0-9]{1,6}\s*", part) is None or not 1 <= int(part) <= _MOST:
        raise ValueError(f"received {written!r}; use epochs from 1 to {_MOST:,} as 30,60, or every 5")
    return int(part)
