"""What the tests of training share: one thread, since the machine is often busy, few digits, and parts of a run."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest
import torch

from explorer.runtime import threads
from explorer.training import DataSet, load_data
from explorer.training.data import loading
from tests.training.step_parts import Forward, Parts


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Beside other processes OpenMP's threads wait for each other longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def few_digits(monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """`digits` is 90 training and 40 test images: with 16 a step, 6 steps an epoch, the last of 10."""
    full = load_data("digits")
    sizes = {"train_images": 90, "train_labels": 90, "test_images": 40, "test_labels": 40}
    few = dataclasses.replace(full, **{name: getattr(full, name)[:size] for name, size in sizes.items()})
    monkeypatch.setitem(loading._kept, ("digits", None), few)
    return few


@pytest.fixture
def parts(few_digits: DataSet) -> Parts:
    return Parts.of()


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Forward], Forward]], None]:
    """Puts something in torch's compiler's place: what it makes of a function."""

    def put(make: Callable[[Forward], Forward]) -> None:
        monkeypatch.setattr(torch, "compile", lambda forward, **_: make(forward))

    return put


@pytest.fixture
def threads_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the environment says nothing about them."""
    monkeypatch.setattr(threads, "are_given", lambda: False)
