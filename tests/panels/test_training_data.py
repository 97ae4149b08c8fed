"""What the training panel shows of a run's images: how far they are read, and what the augmentation makes of them."""

from pytestqt.qtbot import QtBot

from explorer.panels.training.panel import TrainingPanel
from explorer.runs import DataProgress, RunFinished
from tests.panels.fake_run import FakeRun, run_finished, run_started, steps
from tests.panels.stage import click, shown, stage


def _panel(qtbot: QtBot) -> tuple[TrainingPanel, FakeRun]:
    at = stage()
    run = FakeRun()
    panel = TrainingPanel(at.document, run, at.themes)
    run.setParent(panel)
    shown(qtbot, panel, 1280, 320)
    return panel, run


def _read(share: float) -> DataProgress:
    return DataProgress(run_id="", text="Decoding 1,234 of 20,000 images, about 40 s left", share=share)


def test_reading_is_shown_until_the_run_starts(qtbot: QtBot) -> None:
    panel, run = _panel(qtbot)
    panel.start_action.trigger()
    assert panel.progress.maximum() == 0, "nothing is known yet"
    run.say([_read(0.25)])
    assert panel.progress_text.text() == "Decoding 1,234 of 20,000 images, about 40 s left"
    assert panel.progress.value() == panel.progress.maximum() // 4
    assert panel.stop_action.isEnabled()
    run.say([run_started()])
    run.enter("running")
    assert panel.progress.value() == 0
    run.say([steps(1, [2.0, 1.9])])
    assert "epoch 1/10" in panel.progress_text.text()
    run.say([run_finished()])
    run.enter("idle")
    assert panel.progress_text.text().startswith("finished")


def test_a_run_that_is_stopped_while_it_is_read_says_so(qtbot: QtBot) -> None:
    panel, run = _panel(qtbot)
    panel.start_action.trigger()
    run.say([_read(0.25)])
    run.enter("stopping")
    assert panel.progress_text.text() == "stopping…"
    nothing = {"train_loss": None, "train_accuracy": None, "test_accuracy": None, "images_per_second": None}
    run.say([RunFinished(run_id="", reason="stopped", step=0, seconds=0.0, checkpoint=None, **nothing)])  # type: ignore[arg-type]
    run.enter("idle")
    assert panel.progress_text.text() == "stopped before the run began"
    assert panel.progress.value() == 0
    assert panel.start_action.isEnabled()
    panel.start_action.trigger()
    assert panel.progress_text.text() == "starting…", "what was before is forgotten"


def test_the_augmentations_pictures_stand_in_for_the_curves_while_it_is_set(qtbot: QtBot) -> None:
    panel, run = _panel(qtbot)
    group = panel.form.groups["augmentation"]
    assert group.heading is not None
    assert panel.curves.isVisible()
    assert not panel.preview.isVisible()
    click(group.heading)
    assert panel.preview.isVisible()
    assert not panel.curves.isVisible()
    panel.start_action.trigger()
    assert panel.curves.isVisible()
    run.say([run_started()])
    run.enter("running")
    run.say([run_finished()])
    run.enter("idle")
    assert panel.curves.isVisible(), "the run's curves are what is looked at now"
    panel.form.augmentation.switch("flip").click()
    assert panel.preview.isVisible()
    click(group.heading)
    assert panel.curves.isVisible()
