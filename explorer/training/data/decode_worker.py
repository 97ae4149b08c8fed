"""A process that decodes images for another: paths come by standard input, pixels go by standard output.

It is started by its path and imports neither torch nor anything of this program but `decoding`: that would take it two
seconds and much memory. It ends when its input does, and so outlives nobody, however they ended. Who starts it is
`decode_workers`.
"""

import importlib.util
import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

READY = b"r"
"""What comes first."""
REQUEST = struct.Struct("<IIII")
"""Bytes of the path that follows, and `(C, H, W)`."""
ANSWER = struct.Struct("<BIII")
"""Whether it is decoded, height and width as found, and bytes of the text that follows; then come the pixels."""


def answer(requests: BinaryIO, answers: BinaryIO) -> None:
    """Decode what is asked for, in order, until there is no more."""
    decoding = _decoding()
    answers.write(READY)
    answers.flush()
    while len(head := requests.read(REQUEST.size)) == REQUEST.size:
        path_bytes, *shape = REQUEST.unpack(head)
        path = Path(os.fsdecode(requests.read(path_bytes)))
        try:
            found = decoding.decode(path, tuple(shape))
        except decoding.Refused as refused:
            text = str(refused).encode(errors="replace")
            answers.write(ANSWER.pack(False, 0, 0, len(text)) + text)
        else:
            text = found.remark.encode()
            answers.write(ANSWER.pack(True, found.height, found.width, len(text)) + text)
            answers.write(found.pixels.data)
        answers.flush()


def _decoding() -> Any:
    """The module beside this one, without the package's own imports."""
    spec = importlib.util.spec_from_file_location("decoding", Path(__file__).with_name("decoding.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    # Ctrl+C in a terminal is meant for the program, which ends this process when it is ready.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answer(sys.stdin.buffer, sys.stdout.buffer)
