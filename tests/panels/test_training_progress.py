"""What the Training tab says of a run: how far it is, how long it takes, how it ended, in whatever room there is."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from explorer.look.island import Island
from explorer.look.theme import ThemeSource
from explorer.panels.training.panel import TrainingPanel
from explorer.panels.training.parts_label import Part, PartsLabel
from explorer.runs import RunFailed, RunNoted
from explorer.session.views_cost import ViewsCost
from tests.panels.fake_run import epoch_finished, run_finished, run_started, steps
from tests.panels.stage import shown
from tests.panels.training_panel import running, training_panel


def test_progress_is_written_out(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    run.say([steps(1, [0.5] * 63), epoch_finished(1), steps(64, [0.25] * 95)])
    assert panel.progress_text.whole == "epoch 3/10 · 25\u2009% · 12,400 images/s · 00:41 left"
    assert panel.progress.value() == round(1000 * 158 / 630)
    assert panel.device_text.text() == "cuda:0"
    assert panel.status.text() == "Images are padded."
    assert len(panel.curves.data.losses) == 158
    run.enter("paused")
    assert panel.progress_text.whole.startswith("paused at step 158 · epoch 3/10")


def test_the_threads_of_a_run_on_the_cpu_are_said_once(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    run.say([replace(run_started(), device="CPU, 2 threads")])
    assert panel.device_text.text() == "CPU, 2 threads"
    run.say([replace(steps(1, [0.5] * 63), num_threads=1)])
    assert "images/s with 1 thread ·" in panel.progress_text.whole
    assert panel.device_text.text() == "CPU"


def test_a_step_that_was_compiled_is_said_with_its_times(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    run.say([replace(steps(1, [0.5] * 63), num_threads=2)])
    assert "images/s with 2 threads ·" in panel.progress_text.whole
    run.say([RunNoted(run_id=run_started().run_id, note="Compiled: 2 ms instead of 3 ms.")])
    run.say([replace(steps(64, [0.5] * 63), num_threads=2, is_compiled=True)])
    assert "images/s compiled, with 2 threads ·" in panel.progress_text.whole
    assert panel.status.text() == "Compiled: 2 ms instead of 3 ms.\nImages are padded."
    run.say([replace(steps(127, [0.5]), is_compiled=True)])
    assert "images/s compiled ·" in panel.progress_text.whole


@pytest.mark.parametrize("answer", ["Computes in float32: no gain.", None], ids=["another note", "the next step"])
def test_what_goes_on_just_now_is_said_until_it_is_over(qtbot: QtBot, answer: str | None) -> None:
    panel, run, _ = running(qtbot)
    run.say([RunNoted(run_id="r", note="Tries bfloat16, for about 5 s.", is_passing=True)])
    assert panel.status.text() == "Tries bfloat16, for about 5 s.\nImages are padded."
    run.say([steps(1, [0.5]) if answer is None else RunNoted(run_id="r", note=answer)])
    assert panel.status.text() == "\n".join(text for text in (answer, "Images are padded.") if text)
    run.say([steps(2, [0.5])])
    assert "Images are padded." in panel.status.text(), "only once"


def test_what_was_said_meanwhile_stays_when_it_is_over(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    run.say([RunNoted(run_id="r", note="Tries bfloat16, for about 5 s.", is_passing=True)])
    panel._say("Learning rate 0.1 from the next step on.")
    run.say([steps(1, [0.5])])
    assert panel.status.text() == "Learning rate 0.1 from the next step on.\nImages are padded."


def test_the_precision_of_a_step_is_said_where_it_is_not_float32(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    run.say([replace(steps(1, [0.5] * 63), precision="bfloat16")])
    assert "images/s in bfloat16 ·" in panel.progress_text.whole
    run.say([replace(steps(64, [0.5] * 63), precision="bfloat16", is_compiled=True, num_threads=2)])
    assert "images/s in bfloat16, compiled, with 2 threads ·" in panel.progress_text.whole
    run.say([replace(steps(127, [0.5]), precision="float32", num_threads=2)])
    assert "images/s with 2 threads ·" in panel.progress_text.whole


def test_a_run_of_a_network_that_is_not_open_says_which(qtbot: QtBot) -> None:
    panel, run, at = running(qtbot)
    trained = at.document.architecture.name
    at.document.open(replace(at.document.architecture, name="another"))
    run.detach()
    assert panel.status.text() == f"This run trains {trained}, which is not what is open.\nImages are padded."


def test_what_looking_takes_is_said_while_a_run_goes(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    assert panel.views_text.isHidden()
    panel.resize(300, 600)
    QApplication.processEvents()
    narrowest = panel.minimumSizeHint()

    run.cost = ViewsCost(captures=0.021, painting=0.014, numbers=0.004)
    run.say([steps(1, [0.5])])
    assert panel.views_text.isVisible()
    assert panel.views_text.text() == "views 4\u2009%"
    QApplication.processEvents()
    assert panel.minimumSizeHint() == narrowest
    told = panel.views_text.toolTip().splitlines()[1:]
    assert told == [
        "captured between steps 2.1\u2009%, limit 3.0\u2009%, and 1.5\u2009% for moments to look back at",
        "painting pictures 1.4\u2009%, limit 1.7\u2009%",
        "numbers and curves 0.4\u2009%, limit 1.3\u2009%",
    ]

    run.cost = ViewsCost(captures=0.001, painting=0.0, numbers=0.002)
    run.say([steps(2, [0.5])])
    assert panel.views_text.text() == "views <1\u2009%"
    run.cost = None
    run.enter("idle")
    assert panel.views_text.isHidden()


def test_the_empty_curves_say_whether_a_run_is_on_its_way(qtbot: QtBot) -> None:
    panel, run, at = training_panel(qtbot)
    panel.start_action.trigger()
    assert "is starting" in panel.curves._empty.text()
    run.enter("running")
    run.say([run_started()])
    assert "The first step is under way" in panel.curves._empty.text()
    at.set_value("conv2", "out_channels", 7)
    assert "The first step is under way" in panel.curves._empty.text()
    run.enter("idle")
    assert "Start a run (F5)" in panel.curves._empty.text()
    panel.start_action.trigger()
    assert "is starting" in panel.curves._empty.text()


def test_a_first_step_that_takes_long_is_counted_in_seconds(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("explorer.panels.training.progress.time.monotonic", lambda: now[0])
    panel, run, _ = training_panel(qtbot)
    seconds = panel._progress.seconds
    assert seconds is not None
    panel.start_action.trigger()
    assert panel.progress_text.whole == "starting…"
    assert not seconds.isActive()
    run.enter("running")
    run.say([run_started(epochs=20)])
    assert panel.progress_text.whole == "step 1 of 1,260 · 00:00"
    assert seconds.isActive()
    now[0] += 32.0
    seconds.timeout.emit()
    assert panel.progress_text.whole == "step 1 of 1,260 · 00:32"
    run.enter("paused")
    assert panel.progress_text.whole == "paused before the first step"
    assert not seconds.isActive()
    run.enter("running")
    assert seconds.isActive()
    run.say([steps(1, [0.5], total=1260)])
    assert panel.progress_text.whole.startswith("epoch 1/20")
    assert not seconds.isActive()


def test_a_resumed_run_says_the_step_that_it_is_at_and_stops_counting_when_stopped(qtbot: QtBot) -> None:
    panel, run, _ = training_panel(qtbot)
    seconds = panel._progress.seconds
    assert seconds is not None
    panel.start_action.trigger()
    run.enter("running")
    run.say([replace(run_started(), resumed_step=126)])
    assert panel.progress_text.whole.startswith("step 127 of 630 · 00:0")
    run.enter("stopping")
    assert panel.progress_text.whole == "stopping…"
    assert not seconds.isActive()


def test_the_empty_curves_say_what_keeps_a_run_from_starting(qtbot: QtBot) -> None:
    panel, _, at = training_panel(qtbot)
    assert "Start a run (F5)" in panel.curves._empty.text()
    at.set_value("conv2", "kernel_size", (99, 99))
    assert not panel.start_action.isEnabled()
    assert panel.curves._empty.text().startswith("The network has faults (1); mend them first. ")
    at.document.undo_stack.undo()
    assert "Start a run (F5)" in panel.curves._empty.text()


def test_the_end_is_said(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    run.say([steps(1, [0.5] * 630), run_finished()])
    run.enter("idle")
    assert panel.progress_text.whole == "finished · test accuracy 96.1\u2009% · 630 steps · 00:58 · 12,000 images/s"
    assert panel.start_action.isEnabled()


@pytest.mark.parametrize("how", ["another tab", "hidden"])
def test_what_nobody_sees_writes_nothing_and_is_current_when_shown_again(how: str, qtbot: QtBot) -> None:
    def set_seen(seen: bool) -> None:
        if how == "hidden":
            panel.setVisible(seen)
        else:
            panel.set_in_front(seen)
            panel.curves.set_in_front(seen)

    panel, run, _ = running(qtbot)
    run.say([steps(1, [0.5] * 63)])
    run.cost = ViewsCost(captures=0.0, painting=0.0, numbers=0.013)
    set_seen(False)
    before = {label: label.text() for label in panel.findChildren(QLabel)}
    value = panel.progress.value()
    run.say([steps(64, [0.25] * 63)])
    run.say([steps(127, [0.25] * 63)])
    assert {label: label.text() for label in panel.findChildren(QLabel)} == before
    assert panel.progress.value() == value
    assert panel.views_text.isHidden()

    set_seen(True)
    assert panel.progress_text.whole == "epoch 3/10 · 30\u2009% · 12,400 images/s · 00:41 left"
    assert panel.progress.value() == round(1000 * 189 / 630)
    assert panel.views_text.text() == "views 1\u2009%"
    assert panel.curves.plots[0].batch.steps[-1] == 189


def test_a_run_that_ends_behind_another_tab_is_said_to_have_ended_when_it_is_shown(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    panel.set_in_front(False)
    run.say([steps(1, [0.5] * 630), run_finished()])
    run.enter("idle")
    assert panel.start_action.isEnabled(), "the toolbar's too"
    panel.set_in_front(True)
    assert panel.progress_text.whole.startswith("finished · test accuracy 96.1\u2009%")
    assert panel.progress.value() == 1000


def test_notes_and_failures_behind_another_tab_are_said_at_once(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    panel.set_in_front(False)
    run.say([RunNoted(run_id="r", note="Compiled.")])
    assert panel.status.text() == "Compiled.\nImages are padded."
    run.say([RunFailed(run_id="r", message="out of memory", details="", checkpoint=None)])
    assert panel.message.text.text() == "out of memory"
    assert not panel.message.isHidden()


def test_a_first_step_that_nobody_sees_is_not_counted(qtbot: QtBot) -> None:
    panel, _, _ = running(qtbot)
    seconds = panel._progress.seconds
    assert seconds is not None
    assert seconds.isActive()
    panel.set_in_front(False)
    assert not seconds.isActive()
    panel.set_in_front(True)
    assert seconds.isActive()


def test_the_run_is_told_whether_its_numbers_are_seen(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, run, _ = running(qtbot)
    told: list[bool] = []
    monkeypatch.setattr(run, "set_numbers_seen", told.append)
    panel.set_in_front(False)
    panel.hide()
    panel.set_in_front(True)
    assert told == [False]
    panel.show()
    assert told == [False, True]


def _fits_whole(panel: TrainingPanel) -> tuple[str, ...]:
    """The parts of the line that are shown, all of them whole and in their order."""
    label = panel.progress_text
    assert label.fontMetrics().horizontalAdvance(label.text()) <= label.width()
    whole, shown = label.whole.split(" · "), label.text().split(" · ")
    assert shown == [part for part in whole if part in shown]
    assert label.toolTip() == ("" if shown == whole else label.whole)
    return tuple(shown)


@pytest.mark.parametrize("rate", [231.0, 7_806.0, 120_344.0])
def test_no_number_of_the_end_is_cut_in_two_however_narrow_the_panel(rate: float, qtbot: QtBot) -> None:
    """1280 is a window of 1280x800 at its first layout, where the buttons have no words yet; 1440 has them."""
    panel, run, _ = running(qtbot)
    run.say([replace(run_started(), device="CPU, 2 threads")])
    run.say([steps(1, [0.5] * 630), replace(run_finished(), images_per_second=rate)])
    run.enter("idle")
    seen = set()
    # Narrow docks have the form above the line.
    for width in (1920, 1600, 1440, 1280, 1071, 1000, 700, 560):
        panel.resize(width, 264)
        QApplication.processEvents()
        shown = _fits_whole(panel)
        assert shown[:2] == ("finished", "test accuracy 96.1\u2009%"), width
        seen.add(shown)
    assert max(map(len, seen)) == 5, "with room for all of them, all are there"
    assert min(map(len, seen)) < 5


def test_while_it_runs_the_time_that_is_left_stays_longest(qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    run.say([replace(run_started(), device="NVIDIA H200 (cuda:0)"), steps(1, [0.5] * 63)])
    for width in (1920, 1280, 1000, 860):
        panel.resize(width, 264)
        QApplication.processEvents()
        assert _fits_whole(panel)[-1] == "00:41 left"


@pytest.mark.parametrize("device", ["CPU, 2 threads", "NVIDIA H100 80GB HBM3 (cuda:0)"])
def test_a_wide_panel_can_be_made_narrow_again_at_once(device: str, qtbot: QtBot) -> None:
    panel, run, _ = running(qtbot)
    run.say([replace(run_started(), device=device), steps(1, [0.5] * 630), run_finished()])
    run.enter("idle")
    # As in a dock.
    island = Island(panel)
    shown(qtbot, island, 1920, 264)
    least = island.minimumSizeHint().width()
    assert least <= 1000
    island.resize(least, 264)
    QApplication.processEvents()
    assert panel.width() == least
    assert QWidget.minimumSizeHint(panel).width() <= least, "there is room for everything"
    island.resize(1000, 264)
    QApplication.processEvents()
    assert _fits_whole(panel)[0] == "finished"


def test_a_part_does_not_come_and_go_with_a_digit(qtbot: QtBot) -> None:
    label = PartsLabel(ThemeSource())
    qtbot.addWidget(label)
    label.show()
    longer, shorter = (Part("epoch 3/10", 1), Part("100,000", 2)), (Part("epoch 3/10", 1), Part("99,999", 2))
    width = label.fontMetrics().horizontalAdvance("epoch 3/10 · 100,000")
    label.resize(width - 1, 20)
    for parts in (longer, shorter, longer, shorter):
        label.show_parts(parts)
        assert label.text() == "epoch 3/10"
    label.resize(width, 20)
    QApplication.processEvents()
    assert label.text() == "epoch 3/10 · 99,999"
    # Another sentence has nothing to do with it.
    label.resize(width - 1, 20)
    label.show_parts(longer)
    label.show_parts([Part("starting…", 0)])
    label.show_parts(shorter)
    assert label.text() == "epoch 3/10 · 99,999"
