"""Signals of `torchrun` and of the keyboard to a process that trains with others: stop cleanly, or at least end.

When one process dies `torchrun` asks the others to end, and kills them half a minute later. A process may then be
waiting in a GPU's queue for the one that is gone, where Python runs no signal handler; so a thread, woken by the
signal itself, looks whether the run ends, and ends the process if it does not.
"""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from explorer.runs import RunControl

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PATIENCE_S = 12.0
"""Time to finish a step, and to write the last weights; `torchrun` kills after 30 s."""
_STUCK = "Another process of the run ended, and this one waited for it without end"


@contextlib.contextmanager
def obeying_signals(
    control: RunControl | None, end: Callable[[str], None], *, patience_s: float = _PATIENCE_S
) -> Iterator[None]:
    """Let signals stop the run inside; in any other thread than the main one they stay as they are.

    Args:
        control: stopped by a signal; None in a process that obeys the first one.
        end: writes down why the run ended; called in a thread before the process is ended.
        patience_s: how long the run may take to end by itself.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        if control is not None:
            control.stop()

    def watch() -> None:
        # One byte a signal; nothing once the other end is closed.
        if reading.recv(1) and not is_done.wait(patience_s):
            with contextlib.suppress(Exception):
                end(_STUCK)
            os._exit(1)

    reading, writing = socket.socketpair()
    writing.setblocking(False)
    is_done = threading.Event()
    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    woken_before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=watch, name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        signal.set_wakeup_fd(woken_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        writing.close()
        thread.join()
        reading.close()
