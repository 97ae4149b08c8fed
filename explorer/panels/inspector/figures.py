"""The figures of selected nodes as text, with their shares in the network and the calculations behind them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial

from explorer.architecture.block_view import block_of
from explorer.architecture.paths import Ports, ports
from explorer.inference import NodeReport
from explorer.layers import Arithmetic
from explorer.look import numbers
from explorer.panels.estimates import Estimates
from explorer.panels.inspector import working
from explorer.panels.inspector.facts import Fact
from explorer.session import Snapshot


def figure_names(tr: Callable[[str], str]) -> Mapping[str, str]:
    """What is written before each figure, in the order of the rows."""
    return {
        "input": tr("Input"),
        "output": tr("Output"),
        "parameters": tr("Parameters"),
        "trainable": tr("Trainable"),
        "buffers": tr("Buffers"),
        "macs": tr("MACs"),
        "flops": tr("FLOPs"),
        "bytes": tr("Output, 1 image"),
        "batch_bytes": "",
        "kept": tr("Kept for backward"),
        "field": tr("Receptive field"),
        "stride": tr("Output stride"),
        "centre": tr("Centre"),
    }


class NodeFigures:
    """One snapshot's figures of one node, or the sums over several."""

    def __init__(
        self, ids: tuple[str, ...], snapshot: Snapshot, estimates: Estimates, tr: Callable[[str], str]
    ) -> None:
        self._ids = ids
        self._snapshot = snapshot
        self._estimates = estimates
        self._tr = tr
        self._reports = [snapshot.inference.nodes[node_id] for node_id in ids]
        self._is_single = len(ids) == 1
        self._is_block = not self._is_single and block_of(snapshot.architecture, ids) is not None

    def facts(self) -> dict[str, Fact]:
        """All figures by key."""
        tr, totals = self._tr, self._snapshot.inference.totals
        network = tr("of the network")
        frozen = tr("frozen: training leaves them as they are")
        trainable = self._counted("trainable", [r.num_trainable for r in self._reports], totals.num_trainable, network)
        if any(r.context.frozen and r.num_parameters for r in self._reports):
            trainable = trainable._replace(exact=f"{trainable.exact}\n{frozen}")
        batch_size = self._estimates.conditions.batch_size
        return {
            "input": self._input(),
            "output": self._leaves()
            if self._is_block
            else self._single("output", lambda r: r.output_shape, numbers.shape, tr("Channels, height and width")),
            "parameters": self._counted(
                "parameters", [r.num_parameters for r in self._reports], totals.num_parameters, network
            ),
            "trainable": trainable,
            "buffers": self._counted("buffers", [r.num_buffers for r in self._reports], totals.num_buffers, network),
            "macs": self._counted("macs", [r.macs for r in self._reports], totals.macs, network),
            "flops": self._counted("flops", [r.flops for r in self._reports], totals.flops, network),
            "bytes": self._bytes("bytes", [r.output_bytes for r in self._reports], totals.output_bytes),
            "batch_bytes": self._bytes(
                "batch_bytes",
                [None if r.output_bytes is None else r.output_bytes * batch_size for r in self._reports],
                totals.output_bytes * batch_size,
            ),
            "kept": self._kept(),
            "field": self._single(
                "field",
                lambda r: r.receptive_field and r.receptive_field.size,
                numbers.size,
                tr("Input pixels that one output pixel sees"),
            ),
            "stride": self._stride(),
            "centre": self._single(
                "centre",
                lambda r: r.receptive_field and r.receptive_field.center,
                numbers.place,
                tr("Row and column of the image on which what output (0, 0) sees is centred"),
            ),
        }

    # Each figure

    def _input(self) -> Fact:
        if self._is_block:
            return self._through(self._ports.sources, self._tr("What the block reads"))
        if not self._is_single:
            return self._many()
        first = self._reports[0]
        shapes = [shape for shape in first.input_shapes if shape is not None]
        if not shapes:
            from_outside = self._tr("The network's images arrive from outside")
            return Fact(numbers.UNKNOWN, self._unknown if first.input_shapes else from_outside)
        arriving = " + ".join(numbers.shape(shape) for shape in shapes)
        return Fact(arriving, arriving)

    def _leaves(self) -> Fact:
        return self._through(self._ports.exits, self._tr("What is read of the block"))

    def _through(self, node_ids: Sequence[str], tip: str) -> Fact:
        """The shapes that some nodes put out; where all are equal, one of them."""
        shapes = [self._snapshot.inference.nodes[node_id].output_shape for node_id in node_ids]
        if not shapes or None in shapes:
            return Fact(numbers.UNKNOWN, self._unknown)
        told = [numbers.shape(shape) for shape in dict.fromkeys(shapes)]
        text = f"{len(shapes)} × {told[0]}" if len(shapes) > len(told) == 1 else " + ".join(told)
        return Fact(text, f"{tip}: {', '.join(node_ids)}")

    @cached_property
    def _ports(self) -> Ports:
        architecture = self._snapshot.architecture
        return ports(architecture, [architecture[node_id] for node_id in self._ids])

    def _stride(self) -> Fact:
        field = self._reports[0].receptive_field
        if self._is_single and field is not None and all(field.is_whole):
            return Fact(numbers.UNKNOWN, self._tr("Every output sees the same pixels"))
        return self._single(
            "stride",
            lambda r: r.receptive_field and r.receptive_field.stride,
            numbers.size,
            self._tr("Input pixels between two outputs"),
        )

    def _kept(self) -> Fact:
        found = self._estimates.memory(self._snapshot)
        known = [found.nodes.get(i) if r.output_bytes is not None else None for i, r in self._named()]
        fact = self._bytes("kept", known, found.saved_bytes)
        if fact.text == numbers.UNKNOWN:
            return fact
        batch = numbers.exact_count(self._estimates.conditions.batch_size)
        note = self._tr("Autograd keeps this from forward to backward for %s images") % batch
        return fact._replace(exact=f"{fact.exact}\n{note}")

    def _counted(self, key: str, values: Sequence[int | None], whole: int, of_what: str) -> Fact:
        return self._amount(key, values, whole, numbers.short_count, numbers.exact_count, of_what)

    def _bytes(self, key: str, values: Sequence[int | None], whole: int) -> Fact:
        def exact(value: float) -> str:
            return self._tr("%s bytes") % numbers.exact_count(value)

        return self._amount(key, values, whole, numbers.short_bytes, exact, self._tr("of the network"))

    def _amount(
        self,
        key: str,
        values: Sequence[int | None],
        whole: int,
        short: Callable[[float], str],
        exact: Callable[[float], str],
        of_what: str,
    ) -> Fact:
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return Fact(numbers.UNKNOWN, self._unknown)
        amount = sum(known)
        share = numbers.share(amount, whole) if amount else ""
        tip = f"{exact(amount)}, {share} {of_what}" if share else exact(amount)
        parts = list(zip(self._ids, known, strict=True))
        # Of nothing there is nothing to say, but for weights that are frozen.
        is_plain = not amount and not (key == "trainable" and self._reports[0].num_parameters)
        return Fact(short(amount), tip, share, None if is_plain else self._working(key, parts))

    def _single(
        self,
        key: str,
        value_of: Callable[[NodeReport], object],
        write: Callable[..., str],
        tip: str,
    ) -> Fact:
        if not self._is_single:
            return self._many()
        value = value_of(self._reports[0])
        return (
            Fact(numbers.UNKNOWN, self._unknown) if value is None else Fact(write(value), tip, "", self._working(key))
        )

    def _many(self) -> Fact:
        return Fact(numbers.UNKNOWN, self._tr("Several layers are selected"))

    # Calculations

    def _working(self, key: str, parts: Sequence[tuple[str, int]] = ()) -> Callable[[], Sequence[Arithmetic]] | None:
        if not self._is_single:
            if not any(amount for _, amount in parts):
                return None
            return lambda: [working.sum_line(key, parts, self._tr("the sum over the selected layers"))]
        if key in {"trainable", "flops", "batch_bytes", "kept"}:
            return partial(self._own_lines, key)
        return partial(self._lines.__getitem__, key) if key in self._lines else None

    def _own_lines(self, key: str) -> list[Arithmetic]:
        report = self._reports[0]
        if key == "trainable":
            return [working.trainable_line(report)]
        if key == "flops":
            return [working.flops_line(report.macs or 0)]
        if key == "kept":
            conditions = self._estimates.conditions
            return [working.kept_line(self._ids[0], self._snapshot, conditions)]
        return [working.batch_line(report.output_bytes or 0, self._estimates.conditions.batch_size)]

    @cached_property
    def _lines(self) -> Mapping[str, list[Arithmetic]]:
        return working.node_lines(self._ids[0], self._snapshot)

    @cached_property
    def _unknown(self) -> str:
        culprit = culprit_of(self._ids[0], self._snapshot)
        why = (
            ""
            if culprit is None
            else self._tr("the issue here comes first")
            if culprit == self._ids[0]
            else self._tr("%s has an issue") % culprit
        )
        return self._tr("Not known: %s") % why

    def _named(self) -> list[tuple[str, NodeReport]]:
        return list(zip(self._ids, self._reports, strict=True))


def culprit_of(node_id: str, snapshot: Snapshot) -> str | None:
    """The node whose error leaves this one unknown: itself, or the nearest before it; None if all is known."""
    seen, waiting = {node_id}, [node_id]
    while waiting:
        here = waiting.pop(0)
        if snapshot.inference.nodes[here].fault is not None:
            return here
        for source in snapshot.architecture[here].inputs:
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return None
