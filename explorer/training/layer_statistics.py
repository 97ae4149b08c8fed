"""Which images the statistics of layers are measured on: the same ones during a run, before it and after it.

What is measured on them is `runtime.statistics`'.
"""

import torch
from torch import Tensor

from explorer.layers import Shape
from explorer.runs import Normalization
from explorer.runtime.images import to_network_input
from explorer.training.data import DataSet

NUM_IMAGES = 64


def statistics_sample(data: DataSet, input_shape: Shape, normalization: Normalization) -> Tensor:
    """Training images as the network takes them, `(N, *input_shape)` in float32 on the CPU, at most `NUM_IMAGES`.

    They lie evenly over the data set, so that images sorted by class are of all classes. Nothing is drawn at random.

    Raises:
        ValueError: the images' channels cannot become the network's.
    """
    total = len(data.train_images)
    places = torch.linspace(0, total - 1, min(NUM_IMAGES, total), dtype=torch.float64).round().long()
    return to_network_input(data.train_images[places], input_shape, normalization)
