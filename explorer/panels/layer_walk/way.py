"""The way of a layer's window over its outputs: where it is, and how much of the map it has filled. No Qt."""

import numpy as np
import numpy.typing as npt

Place = tuple[int, int]


class Way:
    """Begins where there is most to see; goes on from where somebody put it, else over the whole map."""

    def __init__(self) -> None:
        self._size: Place = (1, 1)
        self._place: Place = (0, 0)
        self._filled: int | None = None
        self._is_chosen = False
        self._owed = 0.0

    @property
    def place(self) -> Place:
        """Row and column of the output."""
        return self._place

    @property
    def filled(self) -> int | None:
        """The outputs that are computed so far; None for all of them."""
        return self._filled

    @property
    def index(self) -> int:
        """Of the place, row by row."""
        return self._place[0] * self._size[1] + self._place[1]

    def restart(self, outputs: npt.NDArray[np.float32]) -> None:
        """Begin on a map `(height, width)` of another layer, where it differs most from the middle of all."""
        row, column = np.unravel_index(int(np.argmax(np.abs(outputs - np.median(outputs)))), outputs.shape)
        self._place, self._filled, self._is_chosen = (int(row), int(column)), None, False

    def fit(self, height: int, width: int) -> None:
        """There are so many outputs; stay where it is, as far as there is such a place."""
        self._size = (height, width)
        self._put(*self._place)

    def choose(self, row: int, column: int) -> None:
        """Put it at an output, or the nearest that there is."""
        self._is_chosen = True
        self._put(row, column)

    def fill(self) -> None:
        """All outputs are computed."""
        self._filled = None

    def begin(self) -> None:
        """Empty the map behind the place, and go on from there; from the first output unless one was chosen."""
        if not self._is_chosen or self.index + 1 >= self._count:
            self._place = (0, 0)
        self._is_chosen = True
        self._filled = self.index + 1
        self._owed = 0.0

    def advance(self, steps: int) -> bool:
        """Go on by so many outputs; whether there were as many."""
        wanted = self.index + steps
        index = min(wanted, self._count - 1)
        self._is_chosen = True
        self._place = divmod(index, self._size[1])
        if self._filled is not None:
            self._filled = None if index + 1 >= self._count else index + 1
        return wanted == index

    def owed(self, outputs: float) -> int:
        """The whole outputs to go on by, when so many more are due; the rest is remembered."""
        self._owed += outputs
        steps = int(self._owed)
        self._owed -= steps
        return steps

    @property
    def _count(self) -> int:
        return self._size[0] * self._size[1]

    def _put(self, row: int, column: int) -> None:
        height, width = self._size
        self._place = (max(0, min(row, height - 1)), max(0, min(column, width - 1)))
        if self._filled is not None:
            self._filled = self.index + 1
