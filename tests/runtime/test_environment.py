"""Threads, devices, the door to torchvision, and images on their way to a network."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from explorer.runs import Normalization
from explorer.runtime import threads
from explorer.runtime.devices import available_devices, choose_device, device_name
from explorer.runtime.images import input_notes, normalization_of, to_network_input
from explorer.runtime.torchvision_door import torchvision

PLAIN = Normalization(mean=(0.0,), std=(1.0,))


def test_waiting_is_set_unless_the_user_did() -> None:
    for given in ({}, {"GOMP_SPINCOUNT": "7"}, {"OMP_WAIT_POLICY": "PASSIVE"}):
        environment = dict(given)
        threads.prepare(environment)
        assert environment == (given or {"GOMP_SPINCOUNT": "10000"})


def test_preparing_loads_no_torch() -> None:
    code = "from explorer.runtime import threads; threads.prepare(); import sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_core_is_left_where_there_are_more_than_two(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    try:
        for cores, wanted in ((1, 1), (2, 2), (4, 3)):
            torch.set_num_threads(8)
            monkeypatch.setattr(threads, "num_cores", lambda cores=cores: cores)
            assert threads.choose_threads() == wanted
    finally:
        torch.set_num_threads(before)


def test_devices() -> None:
    assert choose_device("auto").type == available_devices()[0].partition(":")[0]
    assert choose_device("cpu") == torch.device("cpu")
    assert device_name(torch.device("cpu")).startswith("CPU")
    with pytest.raises(ValueError, match=r"cuda:99 is not available; this machine has .*cpu"):
        choose_device("cuda:99")


def test_torchvision_comes_through_the_door() -> None:
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "from explorer.runtime.torchvision_door import torchvision\n"
        "print(sum(p.numel() for p in torchvision().models.alexnet().parameters()))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "61100840"
    assert torchvision().__name__ == "torchvision"


def test_a_slightly_larger_input_is_padded_with_black() -> None:
    images = torch.full((2, 1, 28, 28), 255, dtype=torch.uint8)
    x = to_network_input(images, (1, 32, 32), PLAIN)
    assert torch.equal(x, torch.nn.functional.pad(torch.ones(2, 1, 28, 28), (2, 2, 2, 2)))
    assert input_notes((1, 28, 28), (1, 32, 32)) == ("28×28 images are padded with black to the network's 32×32.",)
    assert "resized" in input_notes((1, 28, 28), (1, 64, 64))[0]
    assert to_network_input(images, (3, 64, 20), PLAIN).shape == (2, 3, 64, 20)


def test_channels() -> None:
    images = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    three = Normalization(mean=(0.0,) * 3, std=(1.0,) * 3)
    r, g, b = (images / 255).unbind(1)
    grey = to_network_input(images, (1, 8, 8), three)[:, 0]
    torch.testing.assert_close(grey, 0.299 * r + 0.587 * g + 0.114 * b)
    colour = to_network_input(images[:, :1], (3, 8, 8), PLAIN)
    assert torch.equal(colour[:, 0], colour[:, 2])
    with pytest.raises(ValueError, match="takes 4 channels, but the images have 3"):
        to_network_input(images, (4, 8, 8), three)


def test_normalization_is_numpys() -> None:
    images = torch.randint(0, 256, (5, 2, 8, 8), dtype=torch.uint8)
    found = normalization_of(images)
    scaled = images.numpy().astype(np.float64) / 255
    np.testing.assert_allclose(found.mean, scaled.mean((0, 2, 3)))
    np.testing.assert_allclose(found.std, scaled.std((0, 2, 3)))
    assert normalization_of(torch.zeros(1, 1, 2, 2, dtype=torch.uint8)).std == (1.0,)
