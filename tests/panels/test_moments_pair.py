"""Two moments compared: what each page draws and says, against values worked out by hand."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.architecture import Project, edits
from explorer.architecture.files import dumps
from explorer.look.numbers import MINUS, THIN_SPACE
from explorer.look.theme import ThemeSource
from explorer.panels.moments.pair import MomentPair
from explorer.panels.moments.pair_answers import AnswersPage, changes_of
from explorer.panels.moments.pair_classes import ClassesPage
from explorer.panels.moments.pair_pictures import PicturesPage
from explorer.panels.moments.pair_statistics import StatisticsPage
from explorer.runs import (
    Atlas,
    FeatureMapsCaptured,
    Histogram,
    LayersMeasured,
    LayerStatistics,
    Probe,
    ProbeAnswer,
    ProbesExplained,
)
from explorer.runs.class_figures import TestedImages
from explorer.runs.class_files import EpochTest, write_test
from explorer.runs.moments import MomentStore
from explorer.session import Document, Selection
from explorer.session.probe_set import ProbeSet
from explorer.zoo.lenet import lenet5


def measured(step: int, **statistics: object) -> LayersMeasured:
    layers = {"conv1": LayerStatistics(**statistics)}  # type: ignore[arg-type]
    return LayersMeasured(run_id="r", step=step, num_images=8, layers=layers)


def explained(step: int, *rows: tuple[str, list[float]]) -> ProbesExplained:
    answers = tuple(
        ProbeAnswer(
            probe=probe,
            probabilities=np.array(probabilities, np.float32),
            explained_class=0,
            saliency=np.ones((4, 4), np.float32),
            cam=np.ones((2, 2), np.float32),
            image=np.zeros((1, 4, 4), np.float32),
        )
        for probe, probabilities in rows
    )
    return ProbesExplained(run_id="r", step=step, class_names=("cat", "dog", "owl"), layer="conv1", answers=answers)


def answered(epoch: int, step: int, labels: list[int], predicted: list[int]) -> EpochTest:
    images = TestedImages(
        class_names=("cat", "dog"),
        labels=np.array(labels, np.uint16),
        predicted=np.array(predicted, np.uint16),
        probabilities=np.full(len(labels), 0.5, np.float16),
    )
    return EpochTest(epoch, step, images)


def has_both(pair: MomentPair) -> bool:
    return None not in pair._moments


def test_distributions_share_one_axis_and_their_numbers_are_compared(qtbot: QtBot) -> None:
    page = StatisticsPage(ThemeSource())
    qtbot.addWidget(page)
    before = measured(3, weight_norm=2.0, dead=0.1, weights=Histogram(0.0, 2.0, np.array([1, 1])), gradients=None)
    after = measured(7, weight_norm=1.5, dead=0.35, weights=Histogram(0.0, 4.0, np.array([1, 3])))
    words = page.show_pair([before], [after], "conv1")
    assert words.facts[:2] == ("measured at step 3", "measured at step 7")
    for column in page.columns:
        (outline,) = column.outlines
        assert (outline.kind, outline.low, outline.high) == ("weights", 0.0, 4.0)
        left, right = outline.shares
        assert left is not None
        assert right is not None
        # The left lies evenly in the lower half of the axis; of the right a quarter is there.
        half = np.full(32, 1 / 32)
        np.testing.assert_allclose(left, np.concatenate([half, np.zeros(32)]), atol=1e-6)
        np.testing.assert_allclose(right, np.concatenate([half / 4, half * 3 / 4]), atol=1e-6)
        assert outline.most == pytest.approx(1 / 32)
    assert [dict(column.lines) for column in page.columns] == [
        {"norm of the weights": "2", "dead channels": f"10.00{THIN_SPACE}%"},
        {"norm of the weights": "1.5", "dead channels": f"35.00{THIN_SPACE}%"},
        {"norm of the weights": f"{MINUS}0.5", "dead channels": "+25.00 points"},
    ]
    words = page.show_pair([before], [], "conv1")
    assert words.note == "These moments hold no statistics of one layer."
    assert all(column.outlines == () for column in page.columns)


def test_answers_to_probes_are_compared_class_by_class(qtbot: QtBot) -> None:
    before = explained(0, ("a", [0.5, 0.3, 0.2]), ("b", [0.1, 0.8, 0.1]))
    after = explained(9, ("b", [0.05, 0.9, 0.05]), ("a", [0.2, 0.7, 0.1]), ("c", [1.0, 0.0, 0.0]))
    second, first = changes_of(before, after)
    assert (first.probe, first.said) == ("a", ("cat", "dog"))
    assert [name for name, _ in first.classes] == ["dog", "cat", "owl"]
    assert [by for _, by in first.classes] == pytest.approx([0.4, -0.3, -0.1], abs=1e-6)
    assert (second.probe, second.said) == ("b", ("dog", "dog"))

    probes = ProbeSet()
    probes.put(Probe(label="a", image=np.zeros((4, 4), np.uint8), target=1))
    page = AnswersPage(probes, ThemeSource())
    qtbot.addWidget(page)
    words = page.show_pair([before], [after])
    assert words.facts[2] == "1 of 2 predictions are others"
    targets = [{card.answer.probe: card.target for card in cards.cards} for cards in page.cards]
    assert targets == [{"a": 1, "b": None}, {"b": None, "a": 1, "c": None}]
    assert page.show_pair([before], []).note == "These moments hold no answers to probe images."
    assert all(cards.cards == () for cards in page.cards)


def test_classes_are_those_of_the_last_test_before_each_moment(qtbot: QtBot, tmp_path: Path) -> None:
    write_test(tmp_path, answered(1, 10, [0, 0, 1, 1], [1, 1, 1, 1]))
    write_test(tmp_path, answered(2, 20, [0, 0, 1, 1], [0, 1, 1, 1]))
    write_test(tmp_path, answered(3, 30, [0, 0, 1, 1], [0, 0, 0, 1]))
    page = ClassesPage(tmp_path, lambda step: step // 10 or None, ThemeSource())
    qtbot.addWidget(page)
    with qtbot.waitSignal(page.found):
        page.ask((3, 35))
    words = page.show_pair()
    assert words.facts == (
        f"after epoch 1 (step 10): 50.0{THIN_SPACE}% of 4 images are right",
        f"after epoch 3 (step 30): 75.0{THIN_SPACE}% of 4 images are right",
        "+25.00 points · cells: share of the row",
    )
    # Rows are true classes: both cats were taken for dogs, then none; of the dogs one is a cat now.
    np.testing.assert_allclose(page.change.shares, [[1.0, -1.0], [0.5, -0.5]])
    with qtbot.waitSignal(page.found):
        page.ask((22, 29))
    assert "the same test" in page.show_pair().note
    np.testing.assert_allclose(page.change.shares, np.zeros((2, 2)))
    page.resize(300, 300)
    page.show()
    qtbot.waitExposed(page)
    page.grab()
    place = page.change._matrix_rect()
    assert page.change.describe(place.topLeft()).startswith("cat taken for cat: 1 → 1 images")
    page.close_jobs()


def test_a_run_without_tests_is_said(qtbot: QtBot, tmp_path: Path) -> None:
    page = ClassesPage(tmp_path, lambda _step: None, ThemeSource())
    qtbot.addWidget(page)
    assert page.show_pair().note == "Reading the tests…"
    with qtbot.waitSignal(page.found):
        page.ask((0, 5))
    assert page.show_pair().note == "This run has kept no tests yet."
    page.close_jobs()


def levels(step: int, num_channels: int) -> FeatureMapsCaptured:
    """All six maps of conv1 and so many of conv2, each 2×2."""
    atlases = {
        node_id: Atlas(
            image=np.full((2, 2 * count), step, np.uint8),
            num_channels=count,
            columns=count,
            tile_height=2,
            tile_width=2,
            gap=0,
            minimum=0.0,
            maximum=1.0,
        )
        for node_id, count in (("conv1", 6), ("conv2", num_channels))
    }
    return FeatureMapsCaptured(run_id="r", step=step, probe="p", atlases=atlases)


def test_maps_of_some_channels_say_of_how_many(qtbot: QtBot, tmp_path: Path) -> None:
    network = lenet5()
    network = edits.set_value(network, "conv2", "out_channels", 64)
    (tmp_path / "architecture.arch.json").write_text(dumps(Project(architecture=network)))
    page = PicturesPage(tmp_path, ThemeSource())
    qtbot.addWidget(page)
    qtbot.waitUntil(lambda: bool(page._shapes))
    pair = ([levels(3, 16)], [levels(7, 16)])
    assert page.show_pair(*pair, "conv2", "maps").note == "image: p · 16 of 64 channels kept"
    assert page.show_pair(*pair, "conv1", "maps").note == "image: p", "all 6 of them"
    assert page.show_pair([levels(3, 64)], [levels(7, 64)], "conv2", "maps").note == "image: p"
    page.close_jobs()


def test_the_window_says_it_as_soon_as_it_is_known(qtbot: QtBot, tmp_path: Path) -> None:
    """Of the run's own network: what is open may have been edited since."""
    store = MomentStore(tmp_path, 1 << 26)
    for step in (0, 5):
        store.put(step, [levels(step, 4)])
    (tmp_path / "architecture.arch.json").write_text(dumps(Project(architecture=lenet5())))
    document = Document()
    document.open(edits.set_value(lenet5(), "conv2", "out_channels", 99))
    selection = Selection(document)
    selection.set(("conv2",))
    pair = MomentPair(tmp_path, (0, 5), 0, document, selection, ProbeSet(), lambda _step: None, ThemeSource())
    qtbot.addWidget(pair)
    pair.show()
    qtbot.waitUntil(lambda: pair._note.whole == "image: p · 4 of 16 channels kept")
    # Where the folder is slower than the moments.
    pair.pictures_page._take_shapes({"conv2": (12, 10, 10)})
    assert pair._note.whole == "image: p · 4 of 12 channels kept"
    pair.close()


def test_a_folder_without_a_network_says_nothing_of_channels(qtbot: QtBot, tmp_path: Path) -> None:
    page = PicturesPage(tmp_path, ThemeSource())
    qtbot.addWidget(page)
    page.close_jobs()
    assert page.show_pair([levels(3, 4)], [levels(7, 4)], "conv2", "maps").note == "image: p"


def test_what_is_compared_is_remembered(qtbot: QtBot, tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 1 << 26)
    for step in (0, 5):
        store.put(step, [measured(step, weight_norm=1.0 + step), explained(step, ("a", [0.5, 0.3, 0.2]))])
    document = Document()
    document.open(lenet5())
    shown = []
    for choice in (None, "statistics", "answers"):
        pair = MomentPair(
            tmp_path, (0, 5), 0, document, Selection(document), ProbeSet(), lambda _step: None, ThemeSource()
        )
        qtbot.addWidget(pair)
        pair.show()
        qtbot.waitUntil(partial(has_both, pair))
        shown.append(pair.what.currentData())
        if choice is not None:
            pair.what.setCurrentIndex(pair.what.findData(choice))
            page = {"statistics": pair.statistics, "answers": pair.answers}[choice]
            assert pair._body.currentWidget() is page
            assert pair.layer.isVisible() == (choice == "statistics")
    assert shown == ["maps", "maps", "statistics"]


@pytest.mark.parametrize("how", ["escape", "close"])
def test_the_window_goes_when_it_is_closed(how: str, qtbot: QtBot, tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 1 << 26)
    store.put(0, [measured(0, weight_norm=1.0)])
    document = Document()
    pair = MomentPair(tmp_path, (0,), 0, document, Selection(document), ProbeSet(), lambda _step: None, ThemeSource())
    qtbot.addWidget(pair)
    closed: list[bool] = []
    pair.closed.connect(lambda: closed.append(True))
    pair.show()
    if how == "escape":
        QTest.keyClick(pair, Qt.Key.Key_Escape)
    else:
        pair.close()
    assert closed == [True]
    assert not pair.isVisible()
