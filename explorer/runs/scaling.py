"""How well several processes do beside one: the share of their number times its speed that they reach together."""

from explorer.runs.events import RunStarted


def scaling_efficiency(started: RunStarted, images_per_second: float) -> float | None:
    """Speed of all over the number of processes times that of one, which was measured before the first step.

    Above 1 where the measurement was disturbed; None for a single process, or before anything is known.
    """
    alone = started.images_per_second_alone
    if started.num_processes < 2 or not alone or not images_per_second:
        return None
    return images_per_second / (started.num_processes * alone)
