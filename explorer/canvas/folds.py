"""The canvas's fold state: which blocks are folded, which one is open alone. Part of the view, never an edit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self

from explorer.architecture import Architecture
from explorer.architecture.folding import Shown, blocks_around, followed, shown
from explorer.architecture.likeness import Likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """One state; changes give another."""

    states: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    """By path, whether the block is folded, for every block seen since the document was opened."""
    scope: str = ""
    """The block that is open alone, or empty."""

    def followed(self, architecture: Architecture, likenesses: Mapping[str, Likeness]) -> Self:
        """After an edit: what was seen keeps its state, a block open alone stays so while it is there.

        A new block like one that was seen is folded as that.
        """
        declared = {block.path for block in architecture.blocks}
        scope = self.scope if self.scope in declared else ""
        equals = {path: likeness.equals for path, likeness in likenesses.items()}
        return replace(self, states=followed(self.states, architecture, equals), scope=scope)

    def shown(self, architecture: Architecture) -> Shown:
        """What there is to draw."""
        return shown(architecture, {path for path, folded in self.states.items() if folded}, self.scope)

    def folded(self, paths: Iterable[str], *, folded: bool) -> Self:
        """With these blocks folded, or open."""
        return replace(self, states=MappingProxyType({**self.states, **dict.fromkeys(paths, folded)}))

    def alone(self, architecture: Architecture, path: str) -> Self:
        """With one block open alone, which is open in the whole network then too; empty goes back to that."""
        around = (*blocks_around(architecture, path), path) if path else ()
        return replace(self.folded(around, folded=False), scope=path)

    def revealing(self, architecture: Architecture, node_id: str) -> Self:
        """With all blocks open that hide a node."""
        around = blocks_around(architecture, node_id)
        opened = self.folded((path for path in around if self.states[path]), folded=False)
        hidden = bool(self.scope) and not node_id.startswith(f"{self.scope}.")
        return replace(opened, scope="") if hidden else opened
