"""Earlier versions of a network as the history has them, unpacked only when somebody looks at them."""

from collections.abc import Sequence
from typing import overload

from explorer.architecture import Architecture, PackedArchitecture


class Past(Sequence[Architecture]):
    """Versions, the latest first. Most readers stop at the first that has what they look for."""

    def __init__(self, packed: Sequence[PackedArchitecture]) -> None:
        self._packed = tuple(packed)
        self._known: dict[int, Architecture] = {}

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, index: int) -> Architecture: ...

    @overload
    def __getitem__(self, index: slice) -> "Past": ...

    def __getitem__(self, index: "int | slice") -> "Architecture | Past":
        if isinstance(index, slice):
            return Past(self._packed[index])
        place = range(len(self._packed))[index]
        if place not in self._known:
            self._known[place] = self._packed[place].unpack()
        return self._known[place]
