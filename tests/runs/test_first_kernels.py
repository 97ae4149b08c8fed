"""Which part of a weight a small picture shows, counted by hand on weights that say where they stand."""

import numpy as np
import pytest
import torch

from explorer.runs.first_kernels import first_kernels


def test_of_kernels_the_first_of_each_side_are_taken() -> None:
    weight = np.arange(64 * 8 * 3 * 5, dtype=np.float32).reshape(64, 8, 3, 5)
    assert np.array_equal(first_kernels(weight), weight[:24, :4])
    assert torch.equal(first_kernels(torch.from_numpy(weight)), torch.from_numpy(weight[:24, :4]))
    small = weight[:2, :1]
    assert np.array_equal(first_kernels(small), small)


@pytest.mark.parametrize("shape", [(50, 70), (50, 70, 1, 1), (50, 70, 1)])
def test_a_matrix_stays_one_whatever_torch_calls_it(shape: tuple[int, ...]) -> None:
    weight = np.arange(3500, dtype=np.float32).reshape(shape)
    expected = np.arange(3500, dtype=np.float32).reshape(50, 70)[:16, :40]
    assert np.array_equal(first_kernels(weight), expected[:, :, None, None])


def test_a_vector_is_one_output() -> None:
    weight = np.arange(9, dtype=np.float32)
    assert np.array_equal(first_kernels(weight), weight[None, :, None, None])
    assert np.array_equal(first_kernels(weight.reshape(9, 1, 1)), weight[None, :, None, None])
    assert first_kernels(np.zeros(100_000, np.float32)).size < 1000


def test_a_transposed_convolution_is_turned_to_outputs_first() -> None:
    # (inputs, outputs of a group, height, width); of two groups the first has the inputs 0 and 1.
    weight = np.arange(4 * 3 * 2 * 2, dtype=np.float32).reshape(4, 3, 2, 2)
    found = first_kernels(weight, groups=2, is_transposed=True)
    assert found.shape == (3, 2, 2, 2)
    assert np.array_equal(found[1, 0], weight[0, 1])
    assert np.array_equal(found[0, 1], weight[1, 0])


def test_kernels_of_one_and_of_three_dimensions_are_laid_flat() -> None:
    line = np.arange(2 * 3 * 5, dtype=np.float32).reshape(2, 3, 5)
    assert np.array_equal(first_kernels(line), line[:, :, None, :])
    cube = np.arange(2 * 3 * 4 * 2 * 2, dtype=np.float32).reshape(2, 3, 4, 2, 2)
    assert np.array_equal(first_kernels(cube)[1, 4:8], cube[1, 1])
