"""Examples of what an augmentation makes of real images, as a view takes them.

`training.augment_pictures` makes them.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AugmentedPictures:
    """Real images, and several random results of each. Compared by identity, as it holds arrays."""

    originals: npt.NDArray[np.uint8]
    """`(N, C, H, W)` with 1 or 3 channels, at the size that the network takes."""
    results: npt.NDArray[np.uint8]
    """`(N, K, C, H, W)`: K results of each."""
    labels: tuple[str, ...]
    """N names of classes."""
    result_labels: tuple[tuple[str, ...], ...]
    """N times K: "cat", or "0.70 cat + 0.30 dog" where images are mixed."""
