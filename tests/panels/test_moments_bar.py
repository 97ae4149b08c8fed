"""The scrubber by mouse, wheel and keys, and what plays and jumps."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.look.theme import ThemeSource
from explorer.panels.moments import bar as moments_bar
from explorer.panels.moments.bar import MomentsBar
from explorer.panels.moments.track import _polygon
from explorer.runs import StepsRecorded

STEPS = (0, 1, 2, 4, 8, 50, 100, 200)


class Scene:
    """A bar whose moments are all at hand, unless `is_read_at_once` says otherwise."""

    def __init__(self, bar: MomentsBar) -> None:
        self.bar = bar
        self.chosen: list[tuple[int, int | None]] = []
        self.lives = 0
        self.is_read_at_once = True
        bar.chosen.connect(self._choose)
        bar.live_asked.connect(self._live)

    def _choose(self, step: int, ahead: int | None) -> None:
        self.chosen.append((step, ahead))
        if self.is_read_at_once:
            self.bar.go_on()

    def _live(self) -> None:
        self.lives += 1


def recorded(losses: np.ndarray) -> StepsRecorded:
    return StepsRecorded(
        run_id="r",
        first_step=1,
        losses=losses.astype(np.float32),
        accuracies=np.zeros(len(losses), np.float32),
        learning_rate=0.1,
        epoch=1,
        images_per_second=1.0,
        seconds_left=None,
        num_steps_total=len(losses),
    )


@pytest.fixture
def scene(qtbot: QtBot) -> Scene:
    themes = ThemeSource()
    themes.choose("light")
    bar = MomentsBar(themes)
    qtbot.addWidget(bar)
    bar.resize(1000, 40)
    bar.show()
    losses = np.full(200, 0.5)
    losses[119] = 3.0
    bar.begin(steps_per_epoch=50)
    bar.put(recorded(losses))
    bar.show_steps(STEPS, is_growing=False)
    return Scene(bar)


def at(bar: MomentsBar, step: int) -> QPoint:
    return QPoint(round(bar.track.place_of(step)), bar.track.height() // 2)


def test_a_click_chooses_the_nearest_moment(scene: Scene) -> None:
    QTest.mouseClick(scene.bar.track, Qt.MouseButton.LeftButton, pos=at(scene.bar, 60))
    assert scene.chosen[-1][0] == 50
    assert scene.bar.step == 50
    assert "step 50" in scene.bar.text
    assert "epoch 1" in scene.bar.text
    assert "loss 0.5000" in scene.bar.text


def test_a_drag_goes_through_moments(scene: Scene) -> None:
    track = scene.bar.track
    QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=at(scene.bar, 200))
    for step in (160, 120, 90, 60):
        QTest.mouseMove(track, at(scene.bar, step))
    QTest.mouseRelease(track, Qt.MouseButton.LeftButton, pos=at(scene.bar, 60))
    assert [step for step, _ in scene.chosen] == [200, 100, 50]


def test_keys_go_from_moment_to_moment(scene: Scene) -> None:
    track = scene.bar.track
    track.setFocus()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_Left, Qt.Key.Key_End):
        QTest.keyClick(track, key)
    assert [step for step, _ in scene.chosen] == [200, 100, 200, 0, 200]


def test_the_one_that_comes_next_is_named_for_reading_ahead(scene: Scene) -> None:
    scene.bar.choose(50)
    assert scene.chosen[-1] == (50, 100)
    scene.bar.previous.trigger()
    assert scene.chosen[-1] == (8, 4)


def test_it_jumps_behind_a_leap(scene: Scene) -> None:
    assert scene.bar.leap.isEnabled()
    scene.bar.leap.trigger()
    assert scene.bar.step == 200, "the first moment after step 120"


def test_it_jumps_from_leap_to_leap_in_the_order_of_time(scene: Scene) -> None:
    losses = np.full(400, 0.5)
    # The largest is the second.
    losses[[79, 199, 319]] = 2.0, 4.0, 3.0
    scene.bar.begin(steps_per_epoch=50)
    scene.bar.put(recorded(losses))
    steps = (0, 50, 79, 80, 100, 150, 250, 300, 310)
    scene.bar.show_steps(steps, is_growing=False)
    jumps = []
    for _ in range(4):
        scene.bar.leap.trigger()
        jumps.append(scene.bar.step)
    # The first moments after each; there is none after the last.
    assert jumps == [80, 250, 310, 80]
    scene.bar.choose(100)
    scene.bar.leap.trigger()
    assert scene.bar.step == 250
    assert "next leap" in scene.bar.leap.toolTip()


def test_it_plays_to_the_end_and_stops(scene: Scene, qtbot: QtBot) -> None:
    scene.bar.speed.setCurrentIndex(scene.bar.speed.count() - 1)
    scene.bar.play.trigger()
    assert scene.bar.is_playing
    qtbot.waitUntil(lambda: not scene.bar.is_playing, timeout=5000)
    assert [step for step, _ in scene.chosen] == list(STEPS)


def test_while_a_moment_is_read_none_is_asked_for(scene: Scene, qtbot: QtBot) -> None:
    scene.is_read_at_once = False
    scene.bar.speed.setCurrentIndex(scene.bar.speed.count() - 1)
    ticks: list[int] = []
    scene.bar._playing.timeout.connect(lambda: ticks.append(len(scene.chosen)))
    scene.bar.play.trigger()
    qtbot.waitUntil(lambda: len(ticks) >= 3, timeout=5000)
    assert [step for step, _ in scene.chosen] == [0]
    scene.bar.go_on()
    qtbot.waitUntil(lambda: len(ticks) >= 6, timeout=5000)
    assert [step for step, _ in scene.chosen] == [0, 1]
    assert scene.bar.is_playing
    # Whoever plays anew does not wait for what nobody reads any more.
    scene.bar.live.trigger()
    scene.is_read_at_once = True
    scene.bar.play.trigger()
    qtbot.waitUntil(lambda: not scene.bar.is_playing, timeout=5000)
    assert [step for step, _ in scene.chosen] == [0, 1, *STEPS]


def test_a_bar_that_is_not_on_screen_does_nothing(scene: Scene) -> None:
    scene.bar.choose(50)
    scene.bar.play.trigger()
    scene.bar.set_usable(False)
    assert not scene.bar.is_playing
    assert not any(action.isEnabled() for action in scene.bar.actions_)
    # Nor as it goes on to learn of its run.
    scene.bar.put(recorded(np.full(300, 0.5)))
    scene.bar.show_steps((*STEPS, 300), is_growing=True)
    scene.bar.show_moment(8)
    assert not any(action.isEnabled() for action in scene.bar.actions_)
    scene.bar.set_usable(True)
    assert scene.bar.previous.isEnabled()
    assert scene.bar.live.isEnabled()


def test_a_loop_begins_again(scene: Scene, qtbot: QtBot) -> None:
    scene.bar.speed.setCurrentIndex(scene.bar.speed.count() - 1)
    scene.bar.loop.setChecked(True)
    scene.bar.choose(100)
    scene.bar.play.trigger()
    qtbot.waitUntil(lambda: [step for step, _ in scene.chosen][-2:] == [200, 0], timeout=5000)
    scene.bar.live.trigger()
    assert not scene.bar.is_playing


def test_live_leads_back_once(scene: Scene) -> None:
    assert not scene.bar.live.isEnabled()
    scene.bar.choose(8)
    assert scene.bar.live.isEnabled()
    scene.bar.live.trigger()
    assert scene.bar.step is None
    assert scene.lives == 1
    scene.bar.live.trigger()
    assert scene.lives == 1


def test_without_moments_nothing_can_be_done(scene: Scene) -> None:
    scene.bar.clear()
    assert not any(action.isEnabled() for action in scene.bar.actions_)
    scene.bar.choose(5)
    assert scene.chosen == []


@pytest.mark.parametrize("choice", ["light", "dark"])
def test_the_past_is_told_from_the_present_by_colour(scene: Scene, choice: str) -> None:
    scene.bar._themes.choose(choice)
    present = scene.bar.grab().toImage()
    scene.bar.choose(50)
    past = scene.bar.grab().toImage()
    place = QPoint(3, scene.bar.height() - 3)
    assert present.pixelColor(place) != past.pixelColor(place)


def test_a_loss_of_a_million_steps_is_drawn(scene: Scene) -> None:
    steps = tuple(range(0, 1_000_001, 1000))
    scene.bar.begin(1000)
    scene.bar.show_steps(steps, is_growing=True)
    without = scene.bar.track.grab().toImage()
    scene.bar.put(recorded(np.geomspace(2.3, 0.01, 1_000_000)))
    scene.bar.show_steps(steps, is_growing=True)
    drawn = scene.bar.track.grab().toImage()

    def top_of_curve(step: int) -> int:
        """Pixels from the top, above the ticks."""
        x = round(scene.bar.track.place_of(step))
        rows = range(drawn.height() - 10)
        return next((y for y in rows if drawn.pixel(x, y) != without.pixel(x, y)), drawn.height())

    tops = [top_of_curve(step) for step in (10_000, 200_000, 400_000)]
    assert tops[0] < drawn.height() / 4
    assert tops == sorted(set(tops))


def test_the_curve_follows_at_once_and_then_twice_a_second(
    scene: Scene, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that the test sets; what has just been drawn for another reason is not drawn again."""
    now_s = [scene.bar._drawn_s + 10]
    monkeypatch.setattr(moments_bar, "time", SimpleNamespace(perf_counter=lambda: now_s[0]))
    drawn: list[int] = []
    show_run = scene.bar.track.show_run

    def show(*args: Any) -> None:
        drawn.append(len(scene.bar.curves.losses))
        show_run(*args)

    monkeypatch.setattr(scene.bar.track, "show_run", show)
    timer = scene.bar._redrawing
    scene.bar.put(recorded(np.full(300, 0.5)))
    assert timer.interval() == 0
    qtbot.waitUntil(lambda: drawn == [300])

    now_s[0] += 0.1
    scene.bar.put(recorded(np.full(400, 0.5)))
    assert timer.isActive()
    assert timer.interval() == 400
    scene.bar.show_steps((*STEPS, 300), is_growing=True)
    assert drawn == [300, 400]
    assert not timer.isActive()


def test_a_polygon_has_its_points() -> None:
    random = np.random.default_rng(0)
    for count in (1, 2, 1000):
        x, y = random.normal(scale=1e3, size=(2, count))
        polygon = _polygon(x, y)
        assert [(point.x(), point.y()) for point in polygon.toList()] == list(zip(x.tolist(), y.tolist(), strict=True))


def test_a_tick_stands_where_its_moment_is_chosen(scene: Scene) -> None:
    """Of steps on either side of a pixel's middle, and beyond the last step."""
    track = scene.bar.track
    steps = (0, 1, 3, 57, 58, 101, 199, 200)
    bottom = track.height() - 3
    track.show_run((), scene.bar.curves.losses, (), 200)
    without = track.grab().toImage()
    track.show_run(steps, scene.bar.curves.losses, (), 200)
    ticks = track.grab().toImage()
    found = {x for x in range(track.width()) if ticks.pixel(x, bottom) != without.pixel(x, bottom)}
    assert found == {round(track.place_of(step)) for step in steps}
