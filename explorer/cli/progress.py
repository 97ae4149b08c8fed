"""The progress of a run on standard error: a moving bar on a terminal, a line an epoch everywhere."""

import math
import shutil
import time
from typing import TextIO

from explorer.export.naming import one_line
from explorer.look.numbers import loss
from explorer.runs import DataProgress, EpochFinished, Event, RunNoted, RunStarted, StepsRecorded
from explorer.runs.scaling import scaling_efficiency

_BAR_WIDTH = 20
_INTERVAL_S = 0.1


class Progress:
    """Turns a run's events into text. Call it with each event, in the thread that trains."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._moves = stream.isatty()
        self._num_epochs = 0
        self._started: RunStarted | None = None
        self._seconds_left: float | None = None
        self._shown_s = -math.inf
        self._read_quarter = ""
        self.device = ""
        """Where it trains, once it has started."""

    def __call__(self, event: Event) -> None:
        """Show what an event says."""
        match event:
            case DataProgress():
                self.read(event.text, event.share)
            case RunStarted():
                self._started = event
                self.device = event.device
                self._num_epochs = event.config.epochs
                self._line(
                    f"{one_line(event.architecture_name)}: {event.num_parameters:,} parameters on {event.device}"
                )
                for note in event.notes:
                    self._line(note)
            case RunNoted():
                self._line(event.note)
            case StepsRecorded():
                self._seconds_left = event.seconds_left
                if self._moves and time.monotonic() - self._shown_s >= _INTERVAL_S:
                    self._shown_s = time.monotonic()
                    self._show(self._bar(event))
            case EpochFinished():
                if event.epoch == self._num_epochs:
                    self._seconds_left = None
                self._line(self._epoch(event))
            case _:
                pass

    def read(self, text: str, share: float) -> None:
        """Show how far the data set is read; a log gets a line each quarter."""
        if self._moves:
            self._show(text)
        elif share > 0 and (quarter := f"{text.partition(' ')[0]} {share * 4:.0f}") != self._read_quarter:
            self._read_quarter = quarter
            self._line(text)

    def close(self) -> None:
        """Take the bar away."""
        if self._moves:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _bar(self, event: StepsRecorded) -> str:
        share = event.last_step / event.num_steps_total
        filled = round(share * _BAR_WIDTH)
        bar = "█" * filled + "░" * (_BAR_WIDTH - filled)
        parts = [
            f"epoch {event.epoch}/{self._num_epochs}",
            f"{bar} {100 * share:3.0f} %",
            f"loss {loss(float(event.losses.mean()))}",
            f"{event.images_per_second:,.0f} images/s",
        ]
        return "  ".join([*parts, *self._time_left()])

    def _epoch(self, event: EpochFinished) -> str:
        width = len(str(self._num_epochs))
        parts = [
            f"epoch {event.epoch:>{width}}/{self._num_epochs}",
            f"loss {loss(event.train_loss)}",
            f"accuracy {100 * event.train_accuracy:5.2f} %",
            f"test loss {loss(event.test_loss)}",
            f"test accuracy {100 * event.test_accuracy:5.2f} %",
            f"{event.images_per_second:,.0f} images/s",
        ]
        efficiency = scaling_efficiency(self._started, event.images_per_second) if self._started is not None else None
        if efficiency is not None and self._started is not None:
            parts.append(f"efficiency {100 * efficiency:.0f} % of {self._started.num_processes} processes")
        return "  ".join([*parts, *self._time_left()])

    def _time_left(self) -> list[str]:
        return [] if not self._seconds_left else [f"{clock(self._seconds_left)} left"]

    def _line(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}\n" if self._moves else f"{text}\n")
        self._stream.flush()

    def _show(self, text: str) -> None:
        # One column stays free: a full line would wrap, and the next bar would start below it.
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r\x1b[K{text[:width]}")
        self._stream.flush()


def clock(seconds: float) -> str:
    """A time for people: "0:07", "1:02:03"."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
