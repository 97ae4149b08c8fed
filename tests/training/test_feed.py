"""How images lie on the device, how much of it they may take, and what a batch of them costs.

CUDA's own numbers are the test's; no GPU is asked.
"""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer import zoo
from explorer.inference import infer
from explorer.inference.memory import memory
from explorer.runs import Normalization, RunConfig
from explorer.runtime.images import to_network_input
from explorer.training import feed, plan_run, train_batches
from explorer.training.distributed import ALONE
from explorer.training.feed import Feed
from explorer.training.train_batches import TrainBatches
from tests.training.operators import MadeTensors

GIB = 1024**3
CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
COLOUR = Normalization(mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 24 GiB the system sees 4 free. Torch holds 18, of which tensors use 2 and an earlier run, which is over, used
    the rest: 20 are to be had."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (4 * GIB, 24 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: 18 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: 2 * GIB)


def stored(count: int = 12, channels: int = 3) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, channels, 8, 6), dtype=torch.uint8, generator=random)
    return images, torch.arange(count) % 4


def made(images: Tensor, labels: Tensor, **how: Any) -> Feed:
    own = Normalization(mean=COLOUR.mean[: images.shape[1]], std=COLOUR.std[: images.shape[1]])
    return Feed(images, labels, tuple(images.shape[1:]), own, CPU, **how)


# Room


@pytest.mark.usefixtures("gpu")
def test_what_torch_keeps_of_earlier_tensors_is_room_for_images() -> None:
    assert feed._room_bytes(CUDA) == 10 * GIB


def test_elsewhere_the_hosts_memory_was_looked_at_before() -> None:
    assert feed._room_bytes(CPU) > 2**60


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(("network_gib", "gib"), [(1, 5), (16, 4), (19.75, 0.5), (30, 0.5), (None, 0.5)], ids=str)
def test_a_gpu_converts_a_quarter_of_what_is_free_if_the_network_leaves_it(
    network_gib: float | None, gib: float
) -> None:
    network_bytes = None if network_gib is None else int(network_gib * GIB)
    assert feed._most_converted_bytes(CUDA, network_bytes) == gib * GIB


def test_the_cpu_converts_as_much_whatever_the_network_needs() -> None:
    assert feed._most_converted_bytes(CPU, GIB) == feed._most_converted_bytes(CPU, None) == GIB // 2


def test_training_images_leave_a_gpus_network_room_for_three_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(train_batches, "Feed", lambda *_images, **how: asked.append(how["network_bytes"]))
    config = RunConfig(batch_size=16, device="cpu", momentum=0.9, precision="float32")
    plan = plan_run(zoo.entry("lenet5").build(), config)
    TrainBatches(plan, torch.contiguous_format, ALONE)
    TrainBatches(dataclasses.replace(plan, device=CUDA), torch.contiguous_format, ALONE)
    step = memory(plan.architecture, infer(plan.architecture), batch_size=16, momentum=0.9)
    assert asked == [None, 3 * step.training_bytes]


# What is kept


@pytest.mark.parametrize("is_augmented", [False, True])
def test_images_are_converted_part_by_part_into_their_place(
    is_augmented: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, labels = stored(40)
    image_bytes = 4 * images[0].numel()
    monkeypatch.setattr(feed, "_CONVERSION_BYTES", 5 * image_bytes)
    with MadeTensors() as seen:
        found = made(images, labels, is_augmented=is_augmented)
    sizes = sorted(size for _, size in seen.made)
    assert sizes[-1] == 40 * image_bytes
    assert sizes[-2] == 5 * image_bytes
    batch = (found.raw if is_augmented else found.batch)(slice(0, 40))[0]
    own = Normalization(mean=(0.0,), std=(1.0,)) if is_augmented else COLOUR
    assert torch.equal(batch, to_network_input(images, (3, 8, 6), own))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("is_augmented", [False, True])
def test_a_batch_of_converted_images_is_one_copy_in_their_layout(
    is_augmented: bool, layout: torch.memory_format
) -> None:
    images, labels = stored()
    positions = torch.tensor([7, 0, 3])
    found = made(images, labels, memory_format=layout, is_augmented=is_augmented)
    ask = found.raw if is_augmented else found.batch
    with MadeTensors() as seen:
        x, target = ask(positions)
    assert [name for name, _ in seen.made] == ["index_select", "index_select"]
    assert x.is_contiguous(memory_format=layout)
    own = Normalization(mean=(0.0,), std=(1.0,)) if is_augmented else COLOUR
    assert torch.equal(x, to_network_input(images[positions], (3, 8, 6), own))
    assert torch.equal(target, labels[positions])
    with MadeTensors() as seen:
        x, _ = ask(slice(2, 5))
    assert not seen.made
    assert x.is_contiguous(memory_format=layout)


def test_images_of_one_channel_have_the_usual_strides_in_either_layout() -> None:
    """They lie in memory alike, but torch chooses kernels by the strides."""
    for layout in (torch.contiguous_format, torch.channels_last):
        x, _ = made(*stored(channels=1), memory_format=layout).batch(torch.tensor([4, 2]))
        assert x.stride() == (48, 48, 6, 1)


def test_images_of_hardly_any_size_come_in_either_layout() -> None:
    images, labels = stored()
    for layout in (torch.contiguous_format, torch.channels_last):
        x, _ = made(images[..., :1, :1], labels, memory_format=layout).batch(torch.tensor([4, 2]))
        assert torch.equal(x, to_network_input(images[[4, 2], :, :1, :1], (3, 1, 1), COLOUR))


def test_normalising_a_batch_makes_no_numbers_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "_CONVERTED_BYTES", 0)
    images, labels = stored()
    found = made(images, labels)
    expected, _ = found.batch(torch.tensor([1, 5]))
    with MadeTensors() as seen:
        x, _ = found.batch(torch.tensor([1, 5]))
    assert [name for name, _ in seen.made] == ["index_select", "index_select", "_to_copy", "sub"]
    assert torch.equal(x, expected)
