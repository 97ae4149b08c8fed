"""What a run says when the store refuses, and states taken apart and put together."""

import json
import math

import pytest
import torch

from explorer.runs import Event, RunFailed, RunStoreError, StateChanged, TroubleMet
from explorer.training.plain_state import put_together, take_apart
from explorer.training.voice import Voice


class Store:
    """Refuses while it is held."""

    def __init__(self) -> None:
        self.is_held = False
        self.recorded: list[Event] = []
        self.tries = 0

    def record(self, event: Event) -> None:
        self.tries += 1
        if self.is_held:
            raise RunStoreError("runs.sqlite: database is locked")
        self.recorded.append(event)


def said(number: int) -> StateChanged:
    return StateChanged(run_id=str(number), state="running")


def test_what_a_held_store_refused_is_recorded_later_in_order() -> None:
    heard: list[Event] = []
    store, now = Store(), [0.0]
    voice = Voice(heard.append, store, lambda: now[0])  # type: ignore[arg-type]
    voice.say(said(1))
    store.is_held = True
    voice.say(said(2))
    voice.say(said(3))
    tries = store.tries
    voice.say(said(4))
    assert store.tries == tries, "each try waits for the lock; the run must not stand still for every event"
    troubles = [event for event in heard if isinstance(event, TroubleMet)]
    assert len(troubles) == 1
    assert "database is locked" in troubles[0].message
    store.is_held = False
    now[0] = 60.0
    voice.say(said(5))
    assert [event.run_id for event in store.recorded] == ["1", "2", "3", "4", "5"]
    assert [event.run_id for event in heard if isinstance(event, StateChanged)] == ["1", "2", "3", "4", "5"]


def test_the_end_of_a_run_is_tried_at_once() -> None:
    heard: list[Event] = []
    store = Store()
    voice = Voice(heard.append, store, lambda: 0.0)  # type: ignore[arg-type]
    store.is_held = True
    voice.say(said(1))
    store.is_held = False
    end = RunFailed(run_id="r", message="broke", details="", checkpoint=None)
    voice.say(end)
    assert store.recorded[-1] is end
    assert len(store.recorded) == 2


def test_values_come_back_as_they_were() -> None:
    state = {
        "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "fused": True, "maximize": None, "params": [0, 1]}],
        "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.randn(2, 3)}, 1: {}},
        "best": math.inf,
        "text": "résumé",
    }
    tensors: dict[str, torch.Tensor] = {}
    plain = json.loads(json.dumps(take_apart(state, "state", tensors)))
    back = put_together(plain, tensors)
    assert back.keys() == state.keys()
    assert back["param_groups"] == state["param_groups"]
    assert isinstance(back["param_groups"][0]["betas"], tuple)
    assert [*back["state"]] == [0, 1]
    assert torch.equal(back["state"][0]["exp_avg"], state["state"][0]["exp_avg"])  # type: ignore[index]
    assert back["best"] == math.inf
    assert math.isnan(put_together(json.loads(json.dumps(take_apart(math.nan, "x", {}))), {}))


@pytest.mark.parametrize("value", [object(), {(1, 2): 3}, [b"bytes"]])
def test_what_cannot_be_kept_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="cannot be kept"):
        take_apart(value, "state", {})


@pytest.mark.parametrize("plain", [{}, {"$tensor": "missing"}, {"other": 1}])
def test_what_was_not_written_here_is_refused(plain: object) -> None:
    with pytest.raises(ValueError, match=r"missing|expected"):
        put_together(plain, {})
