"""Which calculations stand behind which figure of the inspector, and those that only the panel's conditions tell."""

from collections.abc import Iterable

from explorer.inference import NodeReport, arithmetic
from explorer.inference.lifetimes import courses
from explorer.layers import Arithmetic
from explorer.look.numbers import exact_count
from explorer.panels.estimates import Conditions
from explorer.session import Snapshot

_MOST_NAMED = 8
"""A sum names its largest parts; the rest is one number."""

_BEGINNINGS = (
    ("output bytes", "bytes"),
    ("output stride", "stride"),
    ("receptive field", "field"),
    ("first pixel", "centre"),
    ("centre", "centre"),
    ("buffers", "buffers"),
    ("running statistics", "buffers"),
    ("multiply-accumulates", "macs"),
)

FLOPS_SOURCE = "torch.utils.flop_counter: two operations for each multiply-accumulate"


def figure_of(line: Arithmetic) -> str:
    """The key of the figure that a layer's calculation is of."""
    for beginning, key in _BEGINNINGS:
        if line.what.startswith(beginning):
            return key
    return "parameters" if "parameters" in line.what else "output"


def node_lines(node_id: str, snapshot: Snapshot) -> dict[str, list[Arithmetic]]:
    """A node's calculations by figure."""
    report = snapshot.inference.nodes[node_id]
    upstream = tuple([snapshot.inference.nodes[source] for source in snapshot.architecture[node_id].inputs])
    found: dict[str, list[Arithmetic]] = {}
    for line in arithmetic(report, upstream):
        found.setdefault(figure_of(line), []).append(line)
    return found


def flops_line(macs: int) -> Arithmetic:
    """Floating point operations from multiply-accumulates."""
    return Arithmetic("floating point operations", "2·MACs", f"2·{exact_count(macs)}", 2 * macs, FLOPS_SOURCE)


def trainable_line(report: NodeReport) -> Arithmetic:
    """What training changes of a node's parameters."""
    total, frozen = report.num_parameters or 0, report.context.frozen
    values = f"{exact_count(total)} − {exact_count(total if frozen else 0)}"
    source = "the node is frozen: requires_grad is False" if frozen else "the node is not frozen"
    return Arithmetic("trainable parameters", "parameters − frozen", values, report.num_trainable or 0, source)


def batch_line(one_image: int, batch_size: int) -> Arithmetic:
    """Bytes of a batch from those of an image."""
    return Arithmetic(
        "output bytes of a batch",
        "N·bytes of one image",
        f"{exact_count(batch_size)}·{exact_count(one_image)}",
        batch_size * one_image,
        "each image has an output of its own",
    )


def kept_line(node_id: str, snapshot: Snapshot, conditions: Conditions) -> Arithmetic:
    """What autograd keeps for a node, of a batch."""
    batch_size = conditions.batch_size
    training, _ = courses(
        snapshot.architecture, snapshot.inference, conditions.precision, auxiliary=conditions.auxiliary
    )
    position = snapshot.architecture.structure.index[node_id]
    image, batch = training.saved_image_bytes[position], training.saved_batch_bytes[position]
    return Arithmetic(
        "kept for backward",
        "N·bytes of one image + bytes of any batch",
        f"{exact_count(batch_size)}·{exact_count(image)} + {exact_count(batch)}",
        batch_size * image + batch,
        "torch, Autograd mechanics: saved tensors; an output that is kept counts at the node that made it",
    )


def sum_line(what: str, parts: Iterable[tuple[str, int]], source: str) -> Arithmetic:
    """A sum over nodes: the largest by name, in the network's order, and the rest together."""
    present = [(name, amount) for name, amount in parts if amount]
    total = sum(amount for _, amount in present)
    if not present:
        return Arithmetic(what, "0", "0", 0, source)
    least = sorted((amount for _, amount in present), reverse=True)[:_MOST_NAMED][-1]
    named = [(name, amount) for name, amount in present if amount >= least][:_MOST_NAMED]
    formula = [name for name, _ in named]
    values = [exact_count(amount) for _, amount in named]
    if len(present) > len(named):
        formula.append(f"{len(present) - len(named)} others")
        values.append(exact_count(total - sum(amount for _, amount in named)))
    return Arithmetic(what, " + ".join(formula), " + ".join(values), total, source)
