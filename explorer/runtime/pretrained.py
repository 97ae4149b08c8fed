"""torchvision's trained weights: whether they are here, how they come here, and what belongs to them.

They lie in torchvision's own cache, so neither program downloads what the other has. `weights_files` reads them and
`weights_matching` compares them with a network; `zoo` says which networks have some.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

import torch

from explorer.runs import WeightsFacts
from explorer.runtime.download import download_file
from explorer.runtime.preprocessing import Preprocessing
from explorer.runtime.torchvision_door import PublishedWeights, published_weights
from explorer.runtime.weights_report import NEVER_TRAINED, WeightsReport
from explorer.zoo import Entry, Pretrained

_CHECKSUM = re.compile(r"-([0-9a-f]{8,64})\.")
"""torchvision's files carry the start of their SHA-256 in their names: `resnet18-f37072fd.pth`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What there is to know of a network's trained weights before they are fetched or applied."""

    title: str
    """torchvision's names of the network and of the weights."""
    url: str
    num_bytes: int
    """Of the file, as published."""
    path: Path
    """Where it lies, or will lie."""
    is_here: bool
    top1: float
    """Accuracy on ImageNet's validation set, in percent, as published; none of this program's measuring."""
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    """What each score stands for, in order."""
    untrained: tuple[str, ...] = ()
    """Blocks whose weights are in the file but were never trained."""

    @property
    def facts(self) -> WeightsFacts:
        """What goes with the weights wherever they are kept."""
        return WeightsFacts(
            text=self.title,
            normalization=self.preprocessing.normalization,
            resizing=self.preprocessing.resizing,
            class_names=self.class_names,
        )


def details(entry: Entry) -> Details:
    """What is known of a network's trained weights. The first call imports torchvision.

    Raises:
        ValueError: torchvision has no weights for it.
        ImportError: torchvision is not installed, or does not go with the installed torch.
    """
    facts, published = _published(entry)
    path = _cached(published)
    return Details(
        title=f"{facts.model}, {facts.weights}",
        url=published.url,
        num_bytes=published.num_bytes,
        path=path,
        is_here=path.is_file(),
        top1=facts.top1,
        preprocessing=Preprocessing(
            resize=facts.resize,
            crop=facts.crop,
            interpolation=cast(Literal["bilinear", "bicubic"], published.interpolation),
            mean=facts.mean,
            std=facts.std,
        ),
        class_names=published.class_names,
        untrained=facts.untrained,
    )


def with_notes(report: WeightsReport, known: Details) -> WeightsReport:
    """The report of a comparison with these weights, which also says what of them nobody trained."""
    taken = {node.node_id for node in report.taken}
    blocks = [block for block in known.untrained if any(node_id.startswith(f"{block}.") for node_id in taken)]
    if not blocks:
        return report
    note = (
        f"torchvision never trained {' and '.join(blocks)}: the file holds random numbers for them. Train them before "
        "their scores are used."
    )
    nodes = tuple(
        node._replace(text=f"{node.text}, but was never trained")
        if node.outcome == "taken" and node.node_id.startswith(tuple(f"{block}." for block in blocks))
        else node
        for node in report.nodes
    )
    # What their values say by themselves says no more than this.
    others = tuple(other for other in report.notes if not other.startswith(NEVER_TRAINED))
    return replace(report, nodes=nodes, notes=(*others, note))


def find(entry: Entry) -> Path | None:
    """The file of the network's trained weights in torchvision's cache; None if it is not there.

    Raises:
        ValueError, ImportError: as `details`.
    """
    path = _cached(_published(entry)[1])
    return path if path.is_file() else None


def download(entry: Entry, progress: Callable[[int, int], None], is_cancelled: Callable[[], bool]) -> Path:
    """Fetch the network's trained weights into torchvision's cache, also where a file lies there already.

    What arrived before it broke off or was cancelled is kept beside its place, and the next time goes on from there.

    Args:
        entry: a network that has some.
        progress: receives the bytes that arrived and all that will.
        is_cancelled: looked at between parts of the file.

    Returns:
        The file, whose checksum is the one in its name.

    Raises:
        DownloadError: no network, a full disk, another file than the published one; says what helps.
        DownloadCancelled: the user ended it.
        ValueError, ImportError: as `details`.
    """
    published = _published(entry)[1]
    path = _cached(published)
    checksum = _CHECKSUM.search(path.name)
    sha256 = checksum[1] if checksum is not None else None
    download_file(published.url, path, progress, is_cancelled, sha256=sha256, resumes=True)
    return path


def _published(entry: Entry) -> tuple[Pretrained, PublishedWeights]:
    facts = entry.pretrained
    if facts is None:
        raise ValueError(f"{entry.id}: torchvision has no trained weights for it; choose a file")
    return facts, published_weights(facts.model, facts.weights)


def _cached(published: PublishedWeights) -> Path:
    """Where `torch.hub.load_state_dict_from_url` keeps it, which torchvision's networks load from."""
    return Path(torch.hub.get_dir()) / "checkpoints" / published.url.rpartition("/")[2]
