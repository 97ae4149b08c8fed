"""What drawing, moving or letting go a wire makes of the network; or why it cannot be, and what would fit.

Pure functions, as in `placing`: the same answer is previewed while the wire hangs at the pointer and applied when it is
let go. Ends may be blocks that are drawn as one.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from explorer.architecture import Architecture, ArchitectureError, edits
from explorer.architecture.paths import inside, ports
from explorer.architecture.placement import Wire
from explorer.inference import Inference, Issue, infer
from explorer.layers import Shape
from explorer.session.document import Snapshot
from explorer.session.placing import Refused

_MOST_REPAIRS = 2


class Wired(NamedTuple):
    """The network with the wire elsewhere, ready for `Document.apply`."""

    text: str
    """What the Undo menu says."""
    architecture: Architecture
    inference: Inference
    arriving: tuple[Shape | None, ...]
    """All that the target then reads, in order."""
    passing: Shape | None
    """What passes the wire itself."""
    leaving: Shape | None
    """What the target then makes."""
    issue: str
    """What is wrong at the target now and was not before; empty where nothing is."""
    replaced: str = ""
    """What the target read there before, whose wire this one takes the place of; empty where there was none."""


def source_of(architecture: Architecture, key: str) -> str | None:
    """The node whose output a node or a block puts out; None for a block with several ends."""
    if key in architecture:
        return key
    exits = ports(architecture, inside(architecture, key)).exits
    return exits[0] if len(exits) == 1 else None


def entries(architecture: Architecture, key: str) -> tuple[Wire, ...]:
    """The connections that lead into a node or a block."""
    nodes = (architecture[key],) if key in architecture else inside(architecture, key)
    own = {node.id for node in nodes}
    return tuple(
        Wire(source, node.id, port) for node in nodes for port, source in enumerate(node.inputs) if source not in own
    )


def has_room(architecture: Architecture, key: str) -> bool:
    """Whether one more wire may lead into a node."""
    return key in architecture and architecture[key].layer.max_inputs is None


def connected(
    snapshot: Snapshot, source_key: str, target_key: str, port: int | None, *, force: bool = False
) -> Wired | Refused:
    """A wire drawn from an item to another.

    Args:
        port: the input that it takes; None for one more of a node that has room for it, or else the first.
        force: connect also what cannot be added or joined as it is, to mend it afterwards.
    """
    architecture = snapshot.architecture
    source = source_of(architecture, source_key)
    if source is None:
        return _several_ends(source_key)
    if target_key not in architecture:
        ends = entries(architecture, target_key)
        if len({end.source for end in ends}) != 1:
            return Refused(
                _tr("{block} reads several nodes").format(block=target_key),
                _tr("Unfold it, and connect one of its layers."),
            )
        return _reconnected(snapshot, source, [(end.target, end.port) for end in ends], force=force)
    node = architecture[target_key]
    if source == node.id:
        return Refused(_tr("{node} cannot read itself").format(node=node.id), "")
    if not node.inputs:
        return Refused(
            _tr("{node} is the network's input, which reads nothing").format(node=node.id),
            _tr("Connect it to a layer below."),
        )
    if has_room(architecture, target_key) and port is None:
        if source in node.inputs and not force:
            return Refused(
                _tr("{node} reads {source} already").format(node=node.id, source=source),
                _tr("Hold Ctrl to let it read it once more."),
            )
        return _made(
            snapshot,
            _tr("Connect {source} to {target}").format(source=source, target=node.id),
            lambda: _read(edits.connect(architecture, source, node.id), architecture, source),
            Wire(source, node.id, len(node.inputs)),
            force=force,
        )
    port = 0 if port is None else port
    if node.inputs[port] == source:
        return Refused(
            _tr("{node} reads {source} already").format(node=node.id, source=source),
            _tr("Let go of it elsewhere to connect something else."),
        )
    return _reconnected(snapshot, source, [(node.id, port)], force=force)


def source_moved(
    snapshot: Snapshot, connections: Sequence[Wire], source_key: str, *, force: bool = False
) -> Wired | Refused:
    """A wire's upper end taken to another item: what read through it reads that."""
    source = source_of(snapshot.architecture, source_key)
    if source is None:
        return _several_ends(source_key)
    if all(connection.source == source for connection in connections):
        return Refused(
            _tr("It leaves {source} already").format(source=source), _tr("Let go of it elsewhere to change that.")
        )
    return _reconnected(snapshot, source, [(c.target, c.port) for c in connections], force=force)


def target_moved(
    snapshot: Snapshot, connections: Sequence[Wire], target_key: str, port: int | None, *, force: bool = False
) -> Wired | Refused:
    """A wire's lower end taken to another item; what it led to must be able to do without."""
    first = connections[0]
    if len(connections) > 1:
        return _merged_wire()
    if target_key == first.target:
        return Refused(
            _tr("It leads to {target} already").format(target=first.target),
            _tr("Let go of it elsewhere to change that."),
        )
    freed = disconnected(snapshot, connections)
    if isinstance(freed, Refused):
        return Refused(
            freed.why,
            _tr("Draw a new wire from {source} to {target}, or drag the upper end instead.").format(
                source=first.source, target=target_key
            ),
        )
    answer = connected(Snapshot(freed.architecture, freed.inference), first.source, target_key, port, force=force)
    if isinstance(answer, Refused):
        return answer
    text = _tr("Move the wire of {source} from {old} to {new}")
    if answer.replaced:
        text = _tr("Move the wire of {source} from {old} to {new} in place of {replaced}")
    words = {"source": first.source, "old": first.target, "new": target_key, "replaced": answer.replaced}
    return answer._replace(text=text.format(**words))


def disconnected(snapshot: Snapshot, connections: Sequence[Wire]) -> Wired | Refused:
    """A wire let go over nothing."""
    if len(connections) > 1:
        return _merged_wire()
    (wire,) = connections
    node = snapshot.architecture[wire.target]
    least = node.layer.min_inputs
    if len(node.inputs) <= least:
        wanted = _tr("one input") if least == 1 else _tr("at least {count} inputs").format(count=least)
        return Refused(
            _tr("{node} needs {wanted}").format(node=node.id, wanted=wanted),
            _tr("Take the wire to another node, or remove {node}.").format(node=node.id),
        )
    return _made(
        snapshot,
        _tr("Disconnect {source} from {target}").format(source=wire.source, target=wire.target),
        lambda: edits.disconnect(snapshot.architecture, wire.target, wire.port),
        Wire(wire.source, wire.target, 0),
        force=True,
    )


def _reconnected(snapshot: Snapshot, source: str, ends: Iterable[tuple[str, int]], *, force: bool) -> Wired | Refused:
    ends = tuple(ends)
    architecture = snapshot.architecture
    target, port = ends[0]
    replaced = architecture[target].inputs[port]
    text = _tr("Connect {source} to {target} in place of {old}")
    answer = _made(
        snapshot,
        text.format(source=source, target=target, old=replaced),
        lambda: _read(edits.reconnect(architecture, source, ends), architecture, source),
        Wire(source, target, port),
        force=force,
    )
    return answer._replace(replaced=replaced) if isinstance(answer, Wired) else answer


def _read(new: Architecture, old: Architecture, source: str) -> Architecture:
    """The network in which a node that was returned only because nothing read it is no output any more."""
    if source in old.outputs and len(old.outputs) > 1 and not old.consumers(source):
        return edits.set_outputs(new, [output for output in old.outputs if output != source])
    return new


def _made(
    snapshot: Snapshot, text: str, make: Callable[[], Architecture], wire: Wire, *, force: bool
) -> Wired | Refused:
    try:
        new = make()
    except ArchitectureError as error:
        return Refused(str(error), _tr("Only what stands before a node can lead to it."))
    inference = infer(new, snapshot.inference)
    report, before = inference.nodes[wire.target], snapshot.inference.nodes[wire.target]
    fault = report.fault
    is_new = fault is not None and (before.fault is None or before.fault.text != fault.text)
    if fault is not None and is_new and not force and has_room(new, wire.target):
        return Refused(fault.text, _would_fit(fault))
    return Wired(
        text=text,
        architecture=new,
        inference=inference,
        arriving=report.input_shapes,
        passing=inference.nodes[wire.source].output_shape,
        leaving=report.output_shape,
        issue=fault.text if fault is not None and is_new else "",
    )


def _would_fit(fault: Issue) -> str:
    repairs = [repair.text for repair in fault.repairs[:_MOST_REPAIRS]]
    if not repairs:
        return _tr("Hold Ctrl to connect it all the same.")
    text = _tr("Hold Ctrl to connect it all the same; what then mends it: {repairs}.")
    return text.format(repairs=", ".join(repairs))


def _several_ends(key: str) -> Refused:
    return Refused(
        _tr("{block} has several ends").format(block=key), _tr("Unfold it, and draw from one of its layers.")
    )


def _merged_wire() -> Refused:
    return Refused(_tr("Several wires run together here"), _tr("Unfold the block, and drag one of them."))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Wiring", text)
