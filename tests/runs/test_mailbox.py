"""What comes out of a mailbox, against a plain list of what went in."""

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.runs import (
    Atlas,
    Event,
    FeatureMapsCaptured,
    LayersMeasured,
    LayersOpened,
    Mailbox,
    Observed,
    StateChanged,
    WeightsCaptured,
)


def atlas() -> Atlas:
    image = np.zeros((2, 2), np.uint8)
    return Atlas(image=image, num_channels=1, columns=1, tile_height=2, tile_width=2, gap=0, minimum=0.0, maximum=1.0)


def maps(run_id: str, step: int, *node_ids: str) -> FeatureMapsCaptured:
    return FeatureMapsCaptured(run_id=run_id, step=step, probe=f"probe {step}", atlases={i: atlas() for i in node_ids})


def observed(kind: str, run_id: str, step: int) -> Observed:
    if kind == "opened":
        return LayersOpened(run_id=run_id, step=step, probe="a seven", layers={})
    if kind == "weights":
        return WeightsCaptured(run_id=run_id, step=step, layers={})
    return LayersMeasured(run_id=run_id, step=step, num_images=8, layers={})


def scalars(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, FeatureMapsCaptured | Observed)]


def observations(events: list[Event]) -> list[tuple[int, Event]]:
    """Each observation and how many scalars stand before it."""
    return [(len(scalars(events[:i])), event) for i, event in enumerate(events) if isinstance(event, Observed)]


def pictures(events: list[Event]) -> list[tuple[str, str, int, str]]:
    """(run_id, node id, step, probe) of each atlas."""
    captured = [event for event in events if isinstance(event, FeatureMapsCaptured)]
    return [(event.run_id, node_id, event.step, event.probe) for event in captured for node_id in event.atlases]


def events() -> st.SearchStrategy[list[Event]]:
    runs = st.sampled_from(["a", "b"])
    state = st.builds(lambda run_id: StateChanged(run_id=run_id, state="running"), runs)
    nodes = st.sets(st.sampled_from(["conv1", "conv2", "fc"]))
    capture = st.builds(lambda run_id, step, ids: maps(run_id, step, *ids), runs, st.integers(0, 9), nodes)
    kinds = st.sampled_from(["opened", "weights", "measured"])
    return st.lists(st.one_of(state, capture, st.builds(observed, kinds, runs, st.integers(0, 9))), max_size=30)


@given(events())
def test_scalars_all_in_order_and_the_newest_picture_of_a_node_and_observation_of_a_kind(
    sent: list[Event],
) -> None:
    mailbox = Mailbox()
    for event in sent:
        mailbox.put(event)
    received = mailbox.drain()

    assert [id(event) for event in scalars(received)] == [id(event) for event in scalars(sent)]
    newest = {(run_id, node_id): (run_id, node_id, step, probe) for run_id, node_id, step, probe in pictures(sent)}
    assert sorted(pictures(received)) == sorted(newest.values())
    assert all(event.atlases for event in received if isinstance(event, FeatureMapsCaptured))
    last = {(event.run_id, type(event)): id(event) for _, event in observations(sent)}
    wanted = [(place, id(event)) for place, event in observations(sent) if id(event) in last.values()]
    assert [(place, id(event)) for place, event in observations(received)] == wanted
    assert mailbox.drain() == []


def test_a_picture_keeps_its_place_among_the_scalars() -> None:
    mailbox = Mailbox()
    before, after = (StateChanged(run_id="a", state=state) for state in ("running", "stopping"))
    picture = maps("a", 1, "conv1")
    for event in (before, picture, after):
        mailbox.put(event)
    assert mailbox.drain() == [before, picture, after]


def test_pictures_after_a_drain_are_new() -> None:
    mailbox = Mailbox()
    mailbox.put(maps("a", 1, "conv1"))
    assert pictures(mailbox.drain()) == [("a", "conv1", 1, "probe 1")]
    mailbox.put(maps("a", 2, "conv1"))
    assert pictures(mailbox.drain()) == [("a", "conv1", 2, "probe 2")]


def test_waiting_pictures_are_bounded() -> None:
    mailbox = Mailbox()
    for step in range(1000):
        mailbox.put(maps("a", step, "conv1", f"block{step % 3}"))
    assert len(pictures(mailbox.drain())) == 4


def test_of_each_kind_and_run_the_newest_observation_waits() -> None:
    mailbox = Mailbox()
    for step in range(1000):
        for run_id in "ab":
            mailbox.put(observed("opened", run_id, step))
        mailbox.put(observed("weights", "a", step))
    waiting = observations(mailbox.drain())
    assert [(type(event), event.run_id, event.step) for _, event in waiting if isinstance(event, Observed)] == [
        (LayersOpened, "a", 999),
        (LayersOpened, "b", 999),
        (WeightsCaptured, "a", 999),
    ]
    later = observed("opened", "a", 1000)
    mailbox.put(later)
    assert mailbox.drain() == [later]


def test_nothing_enters_a_closed_mailbox() -> None:
    mailbox = Mailbox()
    event = StateChanged(run_id="a", state="running")
    mailbox.put(event)
    mailbox.close()
    mailbox.put(event)
    mailbox.put(maps("a", 1, "conv1"))
    assert mailbox.drain() == [event]
    assert mailbox.drain() == []


def test_several_threads_lose_nothing() -> None:
    mailbox = Mailbox()
    received: list[Event] = []

    def put(run_id: str) -> None:
        for step in range(500):
            mailbox.put(StateChanged(run_id=run_id, state="running"))
            mailbox.put(maps(run_id, step, "conv1"))

    threads = [threading.Thread(target=put, args=(run_id,)) for run_id in "abc"]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        received += mailbox.drain()
    received += mailbox.drain()
    assert len(scalars(received)) == 1500
    for run_id in "abc":
        steps = [step for run, _, step, _ in pictures(received) if run == run_id]
        assert steps == sorted(steps)
        assert steps[-1] == 499


@given(events())
def test_numbers_and_pictures_can_be_taken_apart(sent: list[Event]) -> None:
    whole, apart = Mailbox(), Mailbox()
    for event in sent:
        whole.put(event)
        apart.put(event)
    together = whole.drain()
    numbers, taken = apart.drain("numbers"), apart.drain("pictures")

    assert [id(event) for event in numbers] == [id(event) for event in scalars(together)]
    assert sorted(pictures(taken)) == sorted(pictures(together))
    assert apart.drain() == []


def test_a_picture_that_stays_is_still_replaced_by_a_newer_one() -> None:
    mailbox = Mailbox()
    mailbox.put(maps("a", 1, "conv1"))
    assert mailbox.drain("numbers") == []
    mailbox.put(maps("a", 2, "conv1"))
    assert pictures(mailbox.drain("pictures")) == [("a", "conv1", 2, "probe 2")]
