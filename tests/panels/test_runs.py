"""The Runs tab: what rows say, filtering, editing in place, comparing, trash and undo, exports, what it remembers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QScrollArea, QStyle, QStyleOptionHeader
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import Project, files
from explorer.look.theme import ThemeSource
from explorer.panels.runs.comparison import MOST_RUNS
from explorer.panels.runs.model import BEST, DATA, NAME, SORT_ROLE, STATE, TAGS, WHEN
from explorer.panels.runs.panel import RunsPanel
from explorer.panels.runs.plot import RunLines, RunsPlot
from explorer.runs import EpochFinished, RunConfig, RunFailed, RunFinished, RunStarted, RunStore, StepsRecorded
from explorer.runs.checkpoints import checkpoint_name
from explorer.runs.data_sources import DATA_SOURCES
from explorer.session.runs_session import POLL_INTERVAL_MS, RunsSession
from tests.panels.fake_run import steps
from tests.panels.stage import press, shown


def made(
    store: RunStore, network: str = "lenet5", *, accuracy: float = 0.9, end: str = "completed", **config: object
) -> str:
    """A run of one epoch of four steps."""
    architecture = zoo.entry(network).build()
    settings = RunConfig(epochs=3, **config)  # type: ignore[arg-type]
    run_id = store.create(settings, architecture.name, files.dumps(Project(architecture=architecture)), {}).run_id
    store.record(
        RunStarted(
            run_id=run_id,
            config=settings,
            architecture_name=architecture.name,
            device="CPU",
            num_train=64,
            num_test=8,
            steps_per_epoch=4,
            num_parameters=61_706,
            notes=(),
        )
    )
    losses = np.array([2.0, 1.5, 1.0, 0.5], np.float32)
    store.record(
        StepsRecorded(
            run_id=run_id,
            first_step=1,
            losses=losses,
            accuracies=(1 - losses / 2).astype(np.float32),
            learning_rate=settings.learning_rate,
            epoch=1,
            images_per_second=500.0,
            seconds_left=None,
            num_steps_total=12,
        )
    )
    measured = {"train_loss": 1.25, "train_accuracy": 0.5, "test_loss": 0.75, "test_accuracy": accuracy}
    store.record(EpochFinished(run_id=run_id, epoch=1, step=4, seconds=2.0, images_per_second=500.0, **measured))
    if end == "failed":
        store.record(RunFailed(run_id=run_id, message="step 5: the loss became nan", details="", checkpoint=None))
    elif end:
        last = {"train_loss": 1.25, "train_accuracy": 0.5, "test_accuracy": accuracy, "images_per_second": 500.0}
        store.record(RunFinished(run_id=run_id, reason=end, step=4, seconds=5.0, checkpoint=None, **last))  # type: ignore[arg-type]
    return run_id


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path / "runs") as store:
        yield store


@pytest.fixture
def session(qtbot: QtBot, store: RunStore) -> Iterator[RunsSession]:
    session = RunsSession(store.root)
    yield session
    session.close()


def panel_of(qtbot: QtBot, session: RunsSession) -> RunsPanel:
    panel = RunsPanel(session, ThemeSource())
    shown(qtbot, panel, 1280, 300)
    return panel


def rows(panel: RunsPanel, column: int = NAME) -> list[str]:
    return [str(panel.filtered.index(row, column).data()) for row in range(panel.filtered.rowCount())]


def num_lines(panel: RunsPanel) -> int:
    return len(panel.comparison.plots[0].lines)


def undoable(panel: RunsPanel) -> bool:
    return panel.undo_bar.isVisible()


def test_without_runs_it_says_what_to_do(qtbot: QtBot, session: RunsSession) -> None:
    panel = panel_of(qtbot, session)
    assert not panel.view.isVisible()
    assert "start one (F5)" in panel._empty.text()
    assert panel.comparison._empty.text() == "", "there is none to select"
    assert not panel.commands.open.isEnabled()
    assert panel.commands.open.toolTip() == "Select a run first."


def test_rows_say_what_the_store_has_and_follow_it(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    run_id = made(store, end="")
    panel = panel_of(qtbot, session)
    texts = [str(panel.filtered.index(0, column).data()) for column in range(9)]
    assert texts[:5] == ["LeNet-5", "LeNet-5", "Digits", "running", "1/3"]
    assert panel.comparison._empty.text().startswith("Select runs")
    assert [text.replace("\u2009", " ") for text in texts[5:]] == ["90.00 %", "90.00 %", "0.7500", "500"]
    panel.select(run_id)
    store.record(RunFailed(run_id=run_id, message="broke", details="", checkpoint=None))
    with qtbot.waitSignal(session.changed, timeout=5000):
        pass
    assert rows(panel, STATE) == ["failed"]
    assert [record.run_id for record in panel.selected] == [run_id]


def test_filtering_by_text_state_and_tag(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    first, second = made(store), made(store, "alexnet-28", end="failed")
    store.describe(first, name="Baseline", tags=["report"])
    panel = panel_of(qtbot, session)
    panel.bar.search.setText("alexnet")
    assert rows(panel, STATE) == ["failed"]
    panel.bar.search.setText("digits BASE")
    assert rows(panel) == ["Baseline"]
    panel.bar.search.clear()
    panel.bar.states.setCurrentIndex(panel.bar.states.findData("failed"))
    assert len(rows(panel)) == 1
    panel.bar.tags.setCurrentIndex(panel.bar.tags.findData("report"))
    assert rows(panel) == []
    assert panel._empty.text() == "No run fits this filter."
    panel.bar.states.setCurrentIndex(0)
    assert rows(panel) == ["Baseline"]
    # The tag that is filtered by goes away with its last run: nothing may stay hidden by it.
    store.describe(first, tags=[])
    session.refresh()
    assert len(rows(panel)) == 2
    assert second in {record.run_id for record in panel.model.records}


def test_what_is_not_known_comes_last_either_way(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    for accuracy in (0.5, 0.75):
        made(store, accuracy=accuracy)
    store.create(RunConfig(), "new", "{}", {})
    panel = panel_of(qtbot, session)
    for order, expected in (
        (Qt.SortOrder.AscendingOrder, [0.5, 0.75, None]),
        (Qt.SortOrder.DescendingOrder, [0.75, 0.5, None]),
    ):
        panel.view.sortByColumn(BEST, order)
        assert [panel.filtered.index(row, BEST).data(SORT_ROLE) for row in range(3)] == expected


def test_names_and_tags_are_edited_in_place(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    run_id = made(store)
    panel = panel_of(qtbot, session)
    panel.select(run_id)
    for action, text in ((panel.commands.rename, "Mine"), (panel.commands.tag, "b; a, a")):
        action.trigger()
        editor = panel.view.findChild(QLineEdit)
        assert editor is not None
        editor.setText(text)
        press(editor, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: panel.view.findChild(QLineEdit) is None)
    record = store.get(run_id)
    assert (record.name, record.tags) == ("Mine", ("a", "b"))
    assert rows(panel, TAGS) == ["a, b"]
    session.rename(run_id, "")
    assert rows(panel) == ["LeNet-5"]


@pytest.mark.parametrize("is_new", [False, True])
def test_a_name_that_is_being_typed_outlasts_what_runs_do_meanwhile(
    qtbot: QtBot, session: RunsSession, store: RunStore, is_new: bool
) -> None:
    run_id = made(store, end="")
    panel = panel_of(qtbot, session)
    panel.select(run_id)
    panel.commands.rename.trigger()
    editor = panel.view.findChild(QLineEdit)
    assert editor is not None
    editor.setText("Mi")
    if is_new:
        made(store, accuracy=0.5)
    else:
        session.set_note(run_id, "another")
    session.refresh()
    QTest.keyClicks(editor, "ne")
    assert editor.text() == "Mine"
    press(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "Mine" in rows(panel))
    assert store.get(run_id).name == "Mine"
    assert panel.filtered.rowCount() == (2 if is_new else 1)


def test_selected_runs_are_compared(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    first, second = made(store), made(store, "lenet5-relu-dropout", learning_rate=0.5)
    panel = panel_of(qtbot, session)
    panel.select(first)
    loss, accuracy = panel.comparison.plots
    assert num_lines(panel) == 1
    assert len(loss.lines[0].batch) == 4
    assert loss.lines[0].test.tolist() == [0.75]
    assert accuracy.lines[0].test.tolist() == [90.0]
    assert "61,706 parameters" in panel.comparison.words.text()
    panel.select(first, second)
    assert num_lines(panel) == 2
    assert loss.lines[0].colour != loss.lines[1].colour
    text = panel.comparison.words.text()
    assert "learning rate 0.02 → 0.5" in text
    assert "with Dropout" in text
    colours = panel.comparison.colours()
    assert set(colours) == {first, second}
    # A colour stays with its run while others come and go.
    panel.select(first, second, made(store))
    assert panel.comparison.colours()[second] == colours[second]
    panel.select()
    assert not panel.comparison.colours()


def test_a_learning_rate_set_in_mid_run_is_told(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    first, second = made(store), made(store)
    store.record(replace(steps(5, [0.5]), run_id=second, learning_rate=0.004))
    panel = panel_of(qtbot, session)
    panel.select(second)
    assert "Learning rate 0.02, then 0.004 from step 5" in panel.comparison.words.text()
    panel.select(first, second)
    assert panel.comparison.words.text() == "Settings: learning rate 0.02 → 0.02, then 0.004 from step 5"


def test_no_more_runs_are_drawn_than_have_a_colour(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    ids = [made(store) for _ in range(MOST_RUNS + 2)]
    panel = panel_of(qtbot, session)
    panel.select(*ids)
    assert len(panel.selected) == MOST_RUNS + 2
    assert len({colour.name() for colour in panel.comparison.colours().values()}) == MOST_RUNS
    assert "Made alike" in panel.comparison.words.text()


def test_delete_goes_to_the_trash_and_can_be_undone(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    run_id, other = made(store), made(store)
    panel = panel_of(qtbot, session)
    panel.select(run_id)
    panel.view.setFocus()
    press(panel.view, Qt.Key.Key_Delete)
    assert [record.run_id for record in panel.model.records] == [other]
    assert undoable(panel)
    assert panel.undo_bar.text.text() == "Moved 1 run to the trash."
    assert panel.bar.trash_button.text() == "Trash (1)"
    panel.undo_bar.button.click()
    assert {record.run_id for record in panel.model.records} == {run_id, other}
    assert not undoable(panel)
    panel.select(run_id)
    panel.commands.trash.trigger()
    panel.bar.trash_button.click()
    assert [record.run_id for record in panel.model.records] == [run_id]
    panel.select(run_id)
    assert panel.commands.trash.text() == "Delete for good"
    assert not panel.commands.open.isVisible()
    panel.commands.restore.trigger()
    assert store.get(run_id).trashed is None


def test_an_active_run_cannot_be_deleted_nor_resumed(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    panel = panel_of(qtbot, session)
    run_id = made(store, end="")
    session.refresh()
    panel.select(run_id)
    assert not panel.commands.trash.isEnabled()
    assert not panel.commands.resume.isEnabled()
    assert "active" in panel.commands.trash.toolTip()
    done = made(store)
    session.refresh()
    panel.select(done)
    assert panel.commands.resume.toolTip().startswith("It is complete")


@pytest.mark.parametrize("end", ["stopped", "failed"])
def test_resume_is_offered_where_there_is_a_checkpoint(
    qtbot: QtBot, session: RunsSession, store: RunStore, end: str
) -> None:
    panel = panel_of(qtbot, session)
    run_id = made(store, end=end)
    session.refresh()
    panel.select(run_id)
    assert not panel.commands.resume.isEnabled()
    assert panel.commands.resume.toolTip().startswith("It ended before its first checkpoint")
    assert panel.commands.open.isEnabled()
    (store.get(run_id).folder / checkpoint_name(4, 2)).mkdir()
    panel.select(run_id)
    assert panel.commands.resume.isEnabled()
    assert panel.commands.resume.toolTip() == "Go on from its last checkpoint"


def test_keys_and_a_double_click_open(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    run_id = made(store, end="stopped")
    (store.get(run_id).folder / checkpoint_name(4, 2)).mkdir()
    panel = panel_of(qtbot, session)
    asked: list[str] = []
    panel.open_asked.connect(asked.append)
    panel.resume_asked.connect(lambda found: asked.append(f"resume {found}"))
    panel.select(run_id)
    panel.view.setFocus()
    press(panel.view, Qt.Key.Key_Return)
    assert asked == [run_id]
    double_click(panel, STATE)
    qtbot.waitUntil(lambda: asked == [run_id, run_id])
    panel.commands.resume.trigger()
    assert asked[-1] == f"resume {run_id}"


def double_click(panel: RunsPanel, column: int) -> None:
    place = panel.view.visualRect(panel.filtered.index(0, column)).center()
    QTest.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))


def test_a_double_click_on_the_name_of_a_selected_run_opens_it(
    qtbot: QtBot, session: RunsSession, store: RunStore
) -> None:
    run_id = made(store)
    panel = panel_of(qtbot, session)
    asked: list[str] = []
    panel.open_asked.connect(asked.append)
    panel.select(run_id)
    double_click(panel, NAME)
    qtbot.waitUntil(lambda: asked == [run_id])
    assert panel.view.findChild(QLineEdit) is None


def test_a_double_click_edits_the_tags_of_a_selected_run(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    run_id = made(store)
    panel = panel_of(qtbot, session)
    asked: list[str] = []
    panel.open_asked.connect(asked.append)
    panel.select(run_id)
    double_click(panel, TAGS)
    qtbot.waitUntil(lambda: panel.view.findChild(QLineEdit) is not None)
    assert asked == []


def test_what_is_said_of_a_run_scrolls_only_where_it_is_longer_than_its_room(
    qtbot: QtBot, session: RunsSession, store: RunStore
) -> None:
    run_id = made(store, normalization="data")
    panel = panel_of(qtbot, session)
    panel.resize(1440, 240)
    panel.select(run_id)
    area = panel.comparison.findChild(QScrollArea)
    assert area is not None
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() == 0)
    panel.comparison.words.show_text("\n".join("word" for _ in range(20)))
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)


def test_points_are_drawn_where_they_have_room_and_the_last_one_always(qtbot: QtBot) -> None:
    plot = RunsPlot("Loss", ThemeSource())
    shown(qtbot, plot, 240, 160)

    def points(num_epochs: int) -> list[int]:
        epochs = np.arange(1.0, num_epochs + 1)
        values = np.ones(num_epochs)
        values[2] = np.nan
        plot.show_lines((RunLines(QColor("red"), epochs, epochs, values),), num_epochs)
        (scatter,) = (item for item in plot.findChildren(pg.PlotWidget)[0].listDataItems() if item.opts["symbol"])
        return [int(place) for place in scatter.getData()[0]]

    assert points(6) == [1, 2, 4, 5, 6]
    assert points(300) == [300]
    plot.resize(4000, 160)
    assert points(300)[:3] == [1, 2, 4]


def test_the_title_of_every_data_set_is_shown_whole(qtbot: QtBot, session: RunsSession) -> None:
    view = panel_of(qtbot, session).view
    margin = 2 * (view.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1)
    widest = max(view.fontMetrics().horizontalAdvance(source.title) for source in DATA_SOURCES)
    assert view.columnWidth(DATA) >= widest + margin


def test_copy_and_exports(qtbot: QtBot, session: RunsSession, store: RunStore, tmp_path: Path) -> None:
    first, second = made(store), made(store)
    panel = panel_of(qtbot, session)
    panel.select(first)
    panel.copy()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("Name\tNetwork\tData")
    assert "\t0.9\t0.9\t0.75\t" in lines[1]
    done: list[str] = []
    panel.done.connect(done.append)
    panel.export.csv(panel.selected, panel.model.records, tmp_path / "one.csv")
    assert len((tmp_path / "one.csv").read_text().splitlines()) == 5
    panel.select(first, second)
    panel.export.csv(panel.selected, panel.model.records, tmp_path / "two.csv")
    assert len((tmp_path / "two.csv").read_text().splitlines()) == 3
    assert len(done) == 2
    failed: list[str] = []
    panel.failed.connect(failed.append)
    panel.export.csv(panel.selected, panel.model.records, tmp_path / "nowhere" / "x.csv")
    assert len(failed) == 1
    pytest.importorskip("tensorboardX")
    with qtbot.waitSignal(panel.done, timeout=20_000):
        panel.export.tensorboard(panel.selected, tmp_path)
    assert len([*tmp_path.glob("*-LeNet-5")]) == 2
    panel.close_work()


def test_columns_are_remembered(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    made(store)
    panel = panel_of(qtbot, session)
    panel.view.sortByColumn(BEST, Qt.SortOrder.AscendingOrder)
    panel.view.setColumnWidth(NAME, 222)
    panel.view.show_column(TAGS, False)
    again = panel_of(qtbot, session)
    assert again.view.isColumnHidden(TAGS)
    assert again.view.columnWidth(NAME) == 222
    assert again.view.horizontalHeader().sortIndicatorSection() == BEST


def test_the_title_of_the_order_leaves_room_for_its_arrow(qtbot: QtBot, session: RunsSession) -> None:
    header = panel_of(qtbot, session).view.horizontalHeader()
    titles = []
    for column in (WHEN, BEST, NAME):
        header.setSortIndicator(column, Qt.SortOrder.DescendingOrder)
        option = QStyleOptionHeader()
        header.initStyleOptionForIndex(option, column)
        titles.append(option.text)
    assert titles == ["When\u2002", "Best\u2002", "Name"]


def test_behind_another_tab_it_reads_no_runs(qtbot: QtBot, session: RunsSession, store: RunStore) -> None:
    panel = panel_of(qtbot, session)
    panel.set_in_front(False)
    made(store)
    qtbot.wait(POLL_INTERVAL_MS + 200)
    assert rows(panel) == []
    panel.set_in_front(True)
    assert len(rows(panel)) == 1
