"""Images from a folder, decoded as they are needed: our streaming against torch's ImageFolder and DataLoader.

A folder of JPEGs of 256 pixels is made from the photographs below the folder given, or below `$ARCH_EXPLORER_DATA`.
Both sides bring them to 224 pixels and give normalised float batches of 64. Nothing is computed on them, or with
`--step S` a step is waited for that leaves the processor alone for so many seconds, as one on a GPU does. In turn:

    python -m tests.benchmarks.streaming [FOLDER] [--images N] [--rounds N] [--workers N] [--step S]
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader

from explorer.runtime.torchvision_door import torchvision
from explorer.training import DataSet, load_data
from explorer.training.data import decode_workers, decoded_folder
from explorer.training.feed import Feed

_SIDE, _MADE_SIDE, _BATCH = 224, 256, 64
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def photographs(source: Path) -> list[Path]:
    """JPEGs below a folder of at least the size that is made of them."""
    found = []
    for path in sorted(source.rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg"):
            with Image.open(path) as image:
                if min(image.size) >= _MADE_SIDE:
                    found.append(path)
    if not found:
        raise SystemExit(f"{source}: holds no JPEG of at least {_MADE_SIDE} pixels; name a folder of photographs")
    return found


def make_folder(source: Path, target: Path, count: int) -> None:
    """So many JPEGs in two classes below `train`, and two to test with."""
    sources = photographs(source)
    for number in range(count + 2):
        with Image.open(sources[number % len(sources)]) as image:
            made = ImageOps.fit(image.convert("RGB"), (_MADE_SIDE, _MADE_SIDE))
        folder = target / ("train" if number < count else "val") / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        made.save(folder / f"{number}.jpg", quality=90)


def streamed(folder: Path) -> DataSet:
    """The folder as if no image fitted into memory."""
    decoded_folder._MEMORY_SHARE = 0.0
    return load_data(f"folder:{folder}", (3, _SIDE, _SIDE))


def ours(feed: Feed) -> Iterator[torch.Tensor]:
    """An epoch of ours."""
    batches = [*torch.randperm(len(feed)).split(_BATCH)]  # type: ignore[no-untyped-call]
    feed.prefetch(batches)
    for positions in batches:
        yield feed.batch(positions)[0]


def torchs(loader: DataLoader[tuple[torch.Tensor, torch.Tensor]]) -> Iterator[torch.Tensor]:
    """An epoch of torch's."""
    for x, _target in loader:
        yield x


def images_per_second(epoch: Iterator[torch.Tensor], step_s: float) -> float:
    """From the second batch on, since starting processes is no matter of speed."""
    next(epoch)
    start_s, count = time.perf_counter(), 0
    for x in epoch:
        count += len(x)
        if step_s:
            time.sleep(step_s)
    return count / (time.perf_counter() - start_s)


def main() -> None:
    """Print each round, and the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default=os.environ.get("ARCH_EXPLORER_DATA"))
    parser.add_argument("--images", type=int, default=1280)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--step", type=float, default=0.0)
    options = parser.parse_args()
    if options.folder is None:
        parser.error("name a folder of photographs, or set ARCH_EXPLORER_DATA")
    decode_workers._MOST_WORKERS = options.workers
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["ARCH_EXPLORER_HOME"] = temporary
        folder = Path(temporary) / "images"
        make_folder(Path(options.folder), folder, options.images)
        data = streamed(folder)
        feed = Feed(data.train_images, data.train_labels, (3, _SIDE, _SIDE), data.normalization, torch.device("cpu"))
        t = torchvision().transforms
        steps = [t.Resize(_SIDE), t.CenterCrop(_SIDE), t.ToTensor(), t.Normalize(_MEAN, _STD)]
        pictures = torchvision().datasets.ImageFolder(str(folder / "train"), t.Compose(steps))
        loader = DataLoader(pictures, _BATCH, shuffle=True, num_workers=options.workers, persistent_workers=True)
        kinds: dict[str, Callable[[], Iterator[torch.Tensor]]] = {
            "ours": lambda: ours(feed),
            "ImageFolder + DataLoader": lambda: torchs(loader),
        }
        rates: dict[str, list[float]] = {kind: [] for kind in kinds}
        for number in range(options.rounds):
            for kind, epoch in kinds.items():
                rates[kind].append(images_per_second(epoch(), options.step))
                print(f"round {number + 1}: {kind} {rates[kind][-1]:,.0f} images/s", flush=True)
        feed.close()
    own, others = rates["ours"], rates["ImageFolder + DataLoader"]
    ratio = statistics.median(mine / theirs for mine, theirs in zip(own, others, strict=True))
    print(f"ours {statistics.median(own):,.0f}, torch's {statistics.median(others):,.0f} images/s; ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
