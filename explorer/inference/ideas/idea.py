"""What an idea is: a change of a whole network with a name and a paper, asked whether it is on, and switched.

Each is a pure edit: an architecture in, one out, or a reason why not. Two kinds: an `Idea` has forms of which the
network has one, all of it or in part; a `Scaling` takes numbers. The ideas themselves are in the files beside this one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from explorer.architecture import Architecture, Edit, EditRefused
from explorer.inference.ideas.fitting import fitted
from explorer.inference.infer import infer
from explorer.inference.inference import Inference
from explorer.inference.memory import memory

Presence = Literal["on", "off", "mixed"]
History = Sequence[Architecture]
"""Earlier versions of a network, the latest first, as an undo history has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One of an idea's forms."""

    id: str
    title: str
    """What a menu calls it: "ReLU", "two groups"."""
    text: str
    """What an undo menu calls switching to it, in the imperative."""
    explanation: str
    """One sentence."""
    paper: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Idea:
    """A question to a whole network, and its answers."""

    id: str
    title: str
    forms: tuple[Form, ...]
    look: Callable[[Architecture, str], Presence]
    """Whether the network has the form of that id."""
    change: Callable[[Architecture, str, History], Architecture]
    """The network in the form of that id, not yet checked; raises EditRefused where it makes no sense."""

    def form(self, form_id: str) -> Form:
        """The form of that id.

        Raises:
            ValueError: the idea has no such form.
        """
        for form in self.forms:
            if form.id == form_id:
                return form
        raise ValueError(f"{self.id} has no form {form_id!r}; it has {', '.join(form.id for form in self.forms)}")

    def presence(self, architecture: Architecture, form_id: str) -> Presence:
        """Whether the network has a form: "on" everywhere where it could, "off" nowhere, or "mixed".

        Raises:
            ValueError: the idea has no such form.
        """
        return self.look(architecture, self.form(form_id).id)

    def apply(self, architecture: Architecture, form_id: str, earlier: History = ()) -> Architecture:
        """The network in that form; the same object if it has it.

        Args:
            architecture: the network.
            form_id: which form.
            earlier: versions before this one, the latest first. What a switch took out, another puts back as the latest
                of them had it, with its values; without them as the paper has it.

        Raises:
            EditRefused: it makes no sense here, or a layer would no longer take what arrives; says why.
            ValueError: the idea has no such form.
        """
        form = self.form(form_id)
        if self.look(architecture, form.id) == "on":
            return architecture
        return _checked(architecture, self.change(architecture, form.id, earlier))

    def refusal(self, architecture: Architecture, form_id: str, earlier: History = ()) -> str | None:
        """Why the network cannot have that form, or None if it can."""
        try:
            self.apply(architecture, form_id, earlier)
        except EditRefused as refused:
            return str(refused)
        return None

    def edit(self, form_id: str, earlier: History = ()) -> Edit:
        """The switch to a form as an edit."""
        return partial(self.apply, form_id=form_id, earlier=tuple(earlier))


class Amount(NamedTuple):
    """A number that a scaling takes."""

    name: str
    title: str
    minimum: float
    maximum: float
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """A change of a whole network by numbers."""

    id: str
    title: str
    text: str
    """What an undo menu calls it, in the imperative."""
    explanation: str
    paper: str
    amounts: tuple[Amount, ...]
    current: Callable[[Architecture], Mapping[str, float]]
    """The amounts that the network has now, by name; empty where the scaling makes no sense."""
    change: Callable[[Architecture, Mapping[str, float]], Architecture]
    """The network scaled, not yet checked; raises EditRefused where that makes no sense."""

    def apply(self, architecture: Architecture, **values: float) -> Architecture:
        """The scaled network; amounts that are not given stay.

        Raises:
            EditRefused: it makes no sense here, or a layer would no longer take what arrives; says why.
            ValueError: no such amount, or one out of its range.
        """
        known = {amount.name: amount for amount in self.amounts}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"{self.id} has no amount {name!r}; it has {', '.join(known)}")
            amount = known[name]
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not amount.minimum <= value <= amount.maximum or (amount.is_whole and value % 1):
                what = "a whole number" if amount.is_whole else "a number"
                raise ValueError(
                    f"{self.id}: {name} received {value!r}; use {what} from {amount.minimum:,} to {amount.maximum:,}"
                )
        return _checked(architecture, self.change(architecture, {**self.current(architecture), **values}))

    def edit(self, **values: float) -> Edit:
        """The scaling as an edit."""
        return lambda architecture: self.apply(architecture, **values)


class Effect(NamedTuple):
    """What a change does to a network's numbers, each (before, after)."""

    num_parameters: tuple[int, int]
    macs: tuple[int, int]
    """For one image."""
    training_bytes: tuple[int, int]
    """The peak of a training step with plain SGD, in float32."""


def effect(
    before: tuple[Architecture, Inference], after: tuple[Architecture, Inference], *, batch_size: int = 1
) -> Effect:
    """What changes between two versions of a network, as far as their layers are known."""
    first, second = before[1].totals, after[1].totals
    bytes_before, bytes_after = (
        memory(architecture, inference, batch_size=batch_size).training_bytes
        for architecture, inference in (before, after)
    )
    return Effect((first.num_parameters, second.num_parameters), (first.macs, second.macs), (bytes_before, bytes_after))


def _checked(old: Architecture, changed: Architecture) -> Architecture:
    """The changed network with what was fixed to the old one's sizes following; refused if it has a new fault."""
    if changed is old:
        return old
    new = fitted(old, changed)
    known = {node_id for node_id, report in infer(old).nodes.items() if report.output_shape is not None}
    for issue in infer(new).errors:
        if issue.node_id in known or issue.node_id not in old:
            raise EditRefused(issue.text)
    return new
