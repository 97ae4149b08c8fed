"""The Training tab as its tests start: with a run that the test makes go on."""

from pytestqt.qtbot import QtBot

from explorer.panels.training.panel import TrainingPanel
from explorer.session.views_cost import ViewsCost
from tests.panels.fake_run import FakeRun, run_started
from tests.panels.stage import Stage, shown, stage


class MeasuredRun(FakeRun):
    """A run whose views take what the test says."""

    cost: ViewsCost | None = None

    @property
    def views_cost(self) -> ViewsCost | None:
        return self.cost


def training_panel(qtbot: QtBot, at: Stage | None = None) -> tuple[TrainingPanel, MeasuredRun, Stage]:
    at = at or stage()
    run = MeasuredRun()
    panel = TrainingPanel(at.document, run, at.themes)
    run.setParent(panel)
    shown(qtbot, panel, 1200, 320)
    return panel, run, at


def running(qtbot: QtBot) -> tuple[TrainingPanel, MeasuredRun, Stage]:
    panel, run, at = training_panel(qtbot)
    panel.start_action.trigger()
    run.say([run_started(notes=("Images are padded.",))])
    run.enter("running")
    return panel, run, at
