"""Batches of images that lie in files, decoded ahead of who asks for them, in the order that was announced.

A batch has its room, and each image its place there, before any is decoded: which process is faster changes nothing. A
file that is gone or damaged since the run began is replaced by the next image of its class that can be read. So every
step has as many images as it would have had, each with its right label, and which image comes in depends on the files
alone, whatever order they are decoded in. A black image would teach that black is of that class; a batch with one image
less would have another mean; and leaving the image out of the loss would change every step for the sake of a rare one.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from explorer.training.data.coming import Coming, Positions
from explorer.training.data.decode_workers import Job, Outcome, Workers
from explorer.training.data.folders import readable
from explorer.training.data.streamed import StreamedImages

_AHEAD_BYTES = 256 * 1024**2
_MOST_AHEAD = 8
"""Batches, where they are small."""
_FEWEST_AHEAD = 2
"""Batches, where they are large: one that computes and one that is decoded."""
_LOOK_S = 5.0
_MOST_TRIES = 32
"""Other images that are tried for one that cannot be read, before the whole folder counts as gone."""


class ImagesGone(Exception):  # noqa: N818 - it says what happened
    """The files of a run can no longer be read; the message is for the user."""


class _Room:
    """Memory for a batch, `(n, C, H, W)`; pinned where it goes to a GPU from."""

    def __init__(self, shape: Sequence[int], device: torch.device) -> None:
        self.tensor = torch.empty(tuple(shape), dtype=torch.uint8, pin_memory=device.type == "cuda")
        self.array = self.tensor.numpy()
        self._sent: torch.cuda.Event | None = None

    def sending(self, device: torch.device) -> None:
        """Note that a copy to the device is under way."""
        if device.type == "cuda":
            self._sent = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._sent.record(torch.cuda.current_stream(device))

    @property
    def is_sent(self) -> bool:
        """Whether `wait` would not wait."""
        return self._sent is None or bool(self._sent.query())  # type: ignore[no-untyped-call]

    def wait(self) -> None:
        """Return when it may be written to."""
        if self._sent is not None:
            self._sent.synchronize()
            self._sent = None


class _Batch:
    """A batch that is being decoded."""

    def __init__(self, positions: list[int], room: _Room) -> None:
        self.positions = positions
        self.room = room
        self.num_missing = len(positions)
        self.outcomes = [Outcome(False, 0, 0, "")] * len(positions)
        self.error: ImagesGone | None = None


class BatchStream:
    """Reads a folder's images in the order in which they will be asked for. One thread asks."""

    def __init__(self, images: StreamedImages, labels: Tensor | None, device: torch.device) -> None:
        """Nothing is read yet, and no process started.

        Args:
            images: which.
            labels: of each image, `(N,)`, on the CPU, by which one is replaced; None to leave the place of one that
                cannot be read as it is.
            device: where the batches go.
        """
        self._images = images
        self._labels = labels
        self._device = device
        self._workers: Workers | None = None
        self._coming = Coming()
        self._condition = threading.Condition()
        self._under_way: deque[_Batch] = deque()
        self._num_begun = 0
        """Batches of `_coming` that are under way or given."""
        self._free: deque[_Room] = deque()
        """The one that was given longest ago comes first."""
        self._replaced: dict[int, str] = {}
        """Position of each image that could not be read, and why."""
        self._num_told = 0

    def prefetch(self, batches: Iterable[Positions]) -> None:
        """Say what will be asked for next, in order. What was said before and not asked for is forgotten."""
        self._forget()
        self._coming = Coming(batches, len(self._images))
        sizes = [len(positions) for positions in self._coming.positions]
        if not sizes:
            return
        shape = (max(sizes), *self._images.shape[1:])
        fit = _AHEAD_BYTES // torch.Size(shape).numel()
        count = min(len(sizes), max(_FEWEST_AHEAD, min(_MOST_AHEAD, fit)))
        kept = [room for room in self._free if tuple(room.tensor.shape) == shape][:count]
        self._free = deque([*kept, *(_Room(shape, self._device) for _ in range(count - len(kept)))])
        self._fill()

    @contextmanager
    def batch(self, positions: Positions) -> Iterator[Tensor]:
        """The images at `positions`, `(n, C, H, W)` in uint8 on the device; on the CPU they are there while this lasts.

        Raises:
            ImagesGone: an image cannot be read, nor any that might replace it.
        """
        with self.looked_at(positions) as (images, _outcomes):
            yield images

    @contextmanager
    def looked_at(self, positions: Positions) -> Iterator[tuple[Tensor, list[Outcome]]]:
        """As `batch`, with what became of each file."""
        is_next = self._coming.is_next(positions)
        if is_next:
            self._coming.take()
            batch = self._under_way.popleft()
        else:
            # Nobody announced it; it goes before what was announced.
            wanted = Coming([positions], len(self._images)).positions[0]
            batch = _Batch(wanted, _Room((len(wanted), *self._images.shape[1:]), self._device))
            self._begin(batch, first=True)
        self._wait(batch)
        images = batch.room.tensor[: len(batch.positions)]
        yield images.to(self._device, non_blocking=True), batch.outcomes
        batch.room.sending(self._device)
        if is_next:
            self._free.append(batch.room)
            self._fill()

    def take_trouble(self) -> str | None:
        """What went wrong since the last call, in one sentence or two; None for nothing."""
        told = [] if self._workers is None else self._workers.take_troubles()
        with self._condition:
            count, faults = len(self._replaced), [*self._replaced.items()]
        # Once: a disk that fails would otherwise say so with every step.
        if count and not self._num_told:
            position, why = faults[0]
            file = f"{readable(self._images.files[position])} {why}"
            told.append(
                f"{file}; the next image of its class takes its place, and so for all that cannot be read any more"
                if count == 1
                else f"{count:,} images cannot be read any more, the first {file}; for each comes the next of its class"
            )
            told[-1] += ". To help, put the files back before the run is resumed or repeated."
        self._num_told = count
        return " ".join(told) or None

    @property
    def num_replaced(self) -> int:
        """Images that could not be read so far."""
        with self._condition:
            return len(self._replaced)

    def close(self) -> None:
        """Let go of the processes; whatever is asked for later takes new ones."""
        self._forget()
        self._free.clear()
        if self._workers is not None:
            self._workers = None
            self._images.workers.release()

    def _forget(self) -> None:
        if self._workers is not None:
            self._workers.drop(self)
        # The rooms of batches under way are let go with them, since an image may still be on its way there.
        self._under_way.clear()
        self._coming = Coming()
        self._num_begun = 0

    def _wait(self, batch: _Batch) -> None:
        def is_ready() -> bool:
            return not batch.num_missing or batch.error is not None

        with self._condition:
            while not self._condition.wait_for(is_ready, _LOOK_S):
                if self._workers is None or not self._workers.is_alive:
                    raise RuntimeError("nothing decodes images any more")
        if batch.error is not None:
            raise batch.error

    def _fill(self) -> None:
        while self._free and self._num_begun < len(self._coming.positions):
            if self._under_way and not self._free[0].is_sent:
                # To wait would be to wait for all that the device has to do; the room is looked at again next time.
                return
            room = self._free.popleft()
            room.wait()
            batch = _Batch(self._coming.positions[self._num_begun], room)
            self._num_begun += 1
            self._under_way.append(batch)
            self._begin(batch, first=False)

    def _begin(self, batch: _Batch, *, first: bool) -> None:
        if self._workers is None:
            self._workers = self._images.workers.acquire()
        rows = range(len(batch.positions))
        for row in reversed(rows) if first else rows:
            self._ask(self._workers, batch, row, 0, first=first)

    def _ask(self, workers: Workers, batch: _Batch, row: int, num_tries: int, *, first: bool) -> None:
        position = batch.positions[row]
        taken = position if not num_tries else self._others(position)[num_tries - 1]
        path = self._images.root / self._images.files[taken]
        done = self._receiver(workers, batch, row, num_tries)
        workers.put(Job(path=path, room=batch.room.array[row], done=done, owner=self), first=first)

    def _receiver(self, workers: Workers, batch: _Batch, row: int, num_tries: int) -> Callable[[Outcome], None]:
        def received(outcome: Outcome) -> None:
            if not outcome.is_decoded and self._labels is not None:
                position = batch.positions[row]
                with self._condition:
                    self._replaced.setdefault(position, outcome.text)
                if num_tries < len(self._others(position)):
                    self._ask(workers, batch, row, num_tries + 1, first=True)
                    return
                self._give_up(batch, position)
                return
            with self._condition:
                batch.outcomes[row] = outcome
                batch.num_missing -= 1
                if not batch.num_missing:
                    self._condition.notify_all()

        return received

    def _give_up(self, batch: _Batch, position: int) -> None:
        with self._condition:
            why = f"{readable(self._images.files[position])} {self._replaced[position]}"
            batch.error = ImagesGone(
                f"{self._images.root}: {why}, and no other image of its class can be read; check that the folder is "
                "still there, and resume the run"
            )
            self._condition.notify_all()

    def _others(self, position: int) -> list[int]:
        """What is tried in place of an image, in order: those after it in its class, and then from the first on."""
        assert self._labels is not None
        members = torch.nonzero(self._labels == self._labels[position]).flatten()
        place = int(torch.searchsorted(members, position))
        return torch.cat([members[place + 1 :], members[:place]])[:_MOST_TRIES].tolist()
