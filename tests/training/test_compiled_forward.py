"""A network that torch compiled, as a step calls it: full batches compiled, others as usual, nothing hidden."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer.training.compiled_forward import CompiledForward
from tests.training.step_parts import Forward, Parts

pytestmark = pytest.mark.usefixtures("few_digits")


def same(one: object, other: object) -> bool:
    """Whether two outputs are equal tensors."""
    assert isinstance(one, Tensor)
    assert isinstance(other, Tensor)
    return torch.equal(one, other)


@pytest.fixture
def calls(compiler: Callable[..., None]) -> list[Tensor]:
    calls: list[Tensor] = []

    def make(forward: Forward) -> Forward:
        def call(x: Tensor) -> Any:
            calls.append(x)
            return forward(x)

        return call

    compiler(make)
    return calls


def test_full_batches_are_compiled_and_others_not(parts: Parts, calls: list[Tensor]) -> None:
    x = parts.batch[0]
    forward = CompiledForward(parts.network.eval(), x)
    assert same(forward(x), parts.network(x))
    assert same(forward(x[:10]), parts.network(x[:10]))
    assert [len(call) for call in calls] == [16]


def test_grey_images_may_lie_in_memory_as_they_like(parts: Parts, calls: list[Tensor]) -> None:
    x = parts.batch[0]
    last = torch.empty_strided(x.shape, (144, 1, 12, 1)).copy_(x)
    assert x.stride() != last.stride()
    output = CompiledForward(parts.network.eval(), x)(last)
    assert calls[0].stride() == x.stride()
    assert same(output, parts.network(x))


def test_other_layouts_are_not_compiled_anew(parts: Parts, calls: list[Tensor]) -> None:
    x = parts.batch[0]
    turned = x.transpose(2, 3).contiguous().transpose(2, 3)
    assert same(CompiledForward(parts.network.eval(), x)(turned), parts.network(turned))
    assert not calls


def test_what_is_not_finite_is_seen(parts: Parts, compiler: Callable[..., None]) -> None:
    compiler(lambda forward: lambda x: forward(x) / 0)
    forward = CompiledForward(parts.network, parts.batch[0], parts.guard.look)
    parts.guard.flag.zero_()
    forward(parts.batch[0])
    assert parts.guard.is_bad


def test_out_of_memory_is_the_runs_affair(parts: Parts, compiler: Callable[..., None]) -> None:
    def fails(_: Tensor) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    compiler(lambda _: fails)
    with pytest.raises(torch.OutOfMemoryError):
        CompiledForward(parts.network, parts.batch[0])(parts.batch[0])
