"""What looking at a run takes of its time, on a simulated clock."""

import pytest

from explorer.session.views_cost import CPU_LIMITS, DEVICE_LIMITS, CostMeter, ViewsCost
from explorer.training import moments, observation

_TICK_S = 1 / 32
"""A power of two, so that a second is a whole number of them to the last bit."""


class Clock:
    """Tells a meter the time, and what is spent in it at a given rate: at every tick, or only when it is due."""

    def __init__(self, *, only_when_due: bool) -> None:
        self.meter = CostMeter()
        self.num_told = 0
        self._only_when_due = only_when_due
        self.changes: list[tuple[float, ViewsCost]] = []
        """The time at which another cost stood there, and that."""
        self._now_s = 1000.0
        self._spent = ViewsCost(5.0, 6.0, 7.0)
        self.meter.tell(self._now_s, self._spent, was_running=False)

    def run(self, seconds: float, rate: ViewsCost, *, is_running: bool = True) -> None:
        """Let time go by; `rate` is what is spent in a second."""
        num_ticks = round(seconds / _TICK_S)
        for tick in range(num_ticks):
            before = self.meter.cost
            self._now_s += _TICK_S
            self._spent = ViewsCost(*(part + each * _TICK_S for part, each in zip(self._spent, rate, strict=True)))
            # Its end may be a change between running and standing still.
            is_last = tick == num_ticks - 1
            if self._only_when_due and not is_last and not self.meter.is_due(self._now_s):
                continue
            self.num_told += 1
            self.meter.tell(self._now_s, self._spent, was_running=is_running)
            if self.meter.cost is not before:
                assert self.meter.cost is not None
                self.changes.append((self._now_s - 1000.0, self.meter.cost))


@pytest.fixture(params=[False, True], ids=["every tick", "when due"])
def clock(request: pytest.FixtureRequest) -> Clock:
    return Clock(only_when_due=request.param)


_SOME = ViewsCost(captures=0.03, painting=0.02, numbers=0.01)
_NOTHING = ViewsCost(0.0, 0.0, 0.0)


def test_nothing_is_known_in_the_first_second_and_then_another_value_each_second(clock: Clock) -> None:
    clock.run(0.9375, _SOME)
    assert clock.meter.cost is None
    clock.run(4, _SOME)
    assert [at_s for at_s, _ in clock.changes] == [1, 2, 3, 4]
    assert all(cost == pytest.approx(_SOME) for _, cost in clock.changes)


def test_the_first_seconds_count_from_the_start_and_later_ones_over_ten(clock: Clock) -> None:
    clock.run(1, _SOME)
    clock.run(29, _NOTHING)
    captures = [cost.captures for _, cost in clock.changes]
    # 0.03 s were spent in the first second: a half of that share after two, a tenth after ten, none once it is past.
    assert captures[:10] == pytest.approx([0.03 / second for second in range(1, 11)])
    assert captures[10:] == pytest.approx([0.0] * 20)


def test_a_pause_counts_neither_its_time_nor_what_is_captured_in_it(clock: Clock) -> None:
    clock.run(1.5, _SOME)
    clock.run(60, ViewsCost(captures=0.5, painting=0.5, numbers=0.5), is_running=False)
    assert [at_s for at_s, _ in clock.changes] == [1]
    clock.run(0.5, _SOME)
    at_s, cost = clock.changes[-1]
    assert at_s == 62
    assert cost == pytest.approx(_SOME)


def test_it_is_due_once_a_second() -> None:
    clock = Clock(only_when_due=True)
    clock.run(30, _SOME)
    assert clock.num_told == 30
    clock.run(30, _SOME, is_running=False)
    assert clock.num_told <= 61


def test_a_window_that_was_held_up_measures_over_longer() -> None:
    meter = CostMeter()
    meter.tell(0, _NOTHING, was_running=False)
    meter.tell(30, ViewsCost(captures=3.0, painting=0.0, numbers=0.0), was_running=True)
    assert meter.cost == pytest.approx((0.1, 0, 0))
    meter.tell(31, ViewsCost(captures=3.0, painting=0.5, numbers=0.0), was_running=True)
    # The mark before the last lies further back than ten seconds, the last one less.
    assert meter.cost == pytest.approx((3 / 31, 0.5 / 31, 0))
    meter.tell(41, ViewsCost(captures=3.0, painting=0.5, numbers=0.0), was_running=True)
    assert meter.cost == pytest.approx((0, 0, 0))


@pytest.mark.parametrize(
    ("limits", "captures", "kept"),
    [
        (CPU_LIMITS, observation.CPU_SHARE, moments.CPU_SHARE),
        (DEVICE_LIMITS, observation.DEVICE_SHARE, moments.DEVICE_SHARE),
    ],
)
def test_the_limits_that_are_told_are_those_that_the_trainer_keeps(
    limits: tuple[float, ...], captures: float, kept: float
) -> None:
    assert limits[:2] == (captures, kept)
