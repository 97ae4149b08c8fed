"""The bar over the moments of a run that trains elsewhere."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from explorer.app.window import MainWindow
from explorer.runs import FeatureMapsCaptured, RunConfig, RunStarted
from explorer.runs.follow import Followed, FollowState
from explorer.runs.moments import MomentStore
from explorer.session.follow_session import FollowSession


def status(state: FollowState) -> Followed:
    return Followed(state=state, host="elsewhere", process=1, silent_s=0.0, lifeless_s=0.0)


def test_the_present_of_a_followed_run_is_live_until_it_ends(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    maps = FeatureMapsCaptured(run_id="r", step=3, probe="p", atlases={})
    MomentStore(tmp_path, 1 << 20).put(3, [maps])
    machine, session = window.time_machine, FollowSession(tmp_path)
    machine.follow(session)
    session.events_arrived.emit(
        [
            RunStarted(
                run_id="r",
                config=RunConfig(),
                architecture_name="LeNet-5",
                device="CPU",
                num_train=128,
                num_test=10,
                steps_per_epoch=2,
                num_parameters=61_706,
                notes=(),
            )
        ]
    )
    session.status_changed.emit(status("running"))
    qtbot.waitUntil(lambda: machine.session.steps == (3,))
    assert machine.bar.live.text() == "Live"
    session.status_changed.emit(status("completed"))
    assert machine.bar.live.text() == "Now"
    machine.follow(None)
