"""Confusion matrix and the figures of classes, against loops that count by hand."""

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.runs.class_figures import (
    TestedImages,
    by_likeness,
    by_mistakes,
    class_figures,
    classes_csv,
    confident_mistakes,
    confused_pairs,
    confusion,
    confusion_csv,
    images_csv,
    images_of,
)


def made(num_classes: int, count: int, seed: int = 0, *, accuracy: float = 0.7, beyond: int = 0) -> TestedImages:
    """Random answers, the given share of which is right for sure; `beyond` scores belong to no class."""
    random = np.random.default_rng(seed)
    labels = random.integers(num_classes, size=count)
    guesses = random.integers(num_classes + beyond, size=count)
    predicted = np.where(random.random(count) < accuracy, labels, guesses)
    return TestedImages(
        class_names=tuple(f"class {place}" for place in range(num_classes)),
        labels=labels.astype(np.uint16),
        predicted=predicted.astype(np.uint16),
        probabilities=random.random(count).astype(np.float16),
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(0, 60), st.integers(0, 2), st.integers(0, 10**6))
def test_counts_and_figures_are_those_of_a_loop(num_classes: int, count: int, beyond: int, seed: int) -> None:
    tested = made(num_classes, count, seed, beyond=beyond)
    found = confusion(tested)
    expected = np.zeros((num_classes, num_classes + 1), int)
    for label, answer in zip(tested.labels.tolist(), tested.predicted.tolist(), strict=True):
        expected[label][min(answer, num_classes)] += 1
    if not expected[:, -1].any():
        expected = expected[:, :-1]
    assert (found.counts == expected).all()
    assert found.counts.sum() == count
    assert tested.num_right == np.trace(expected[:, :num_classes])
    figures = class_figures(found)
    pairs = list(zip(tested.labels.tolist(), tested.predicted.tolist(), strict=True))
    for place in range(num_classes):
        true_positive = sum(label == answer == place for label, answer in pairs)
        false_negative = sum(label == place != answer for label, answer in pairs)
        false_positive = sum(answer == place != label for label, answer in pairs)
        for value, part, whole in (
            (figures.accuracy[place], true_positive, true_positive + false_negative),
            (figures.precision[place], true_positive, true_positive + false_positive),
            (figures.f1[place], 2 * true_positive, 2 * true_positive + false_negative + false_positive),
        ):
            assert value == part / whole if whole else math.isnan(value)


def test_the_surest_mistakes_come_first() -> None:
    tested = made(10, 300)
    found = confident_mistakes(tested, 12)
    wrong = [place for place in range(300) if tested.labels[place] != tested.predicted[place]]
    expected = sorted(wrong, key=lambda place: -float(tested.probabilities[place]))
    assert found.tolist() == expected[:12]


def test_a_probability_that_is_no_number_comes_last() -> None:
    tested = TestedImages(
        class_names=("a", "b"),
        labels=np.zeros(3, np.uint16),
        predicted=np.ones(3, np.uint16),
        probabilities=np.array([np.nan, 0.2, 0.9], np.float16),
    )
    assert confident_mistakes(tested, 3).tolist() == [2, 1, 0]


def test_every_cell_has_its_images() -> None:
    tested = made(6, 200, beyond=3)
    found = confusion(tested)
    seen: list[int] = []
    for row in range(6):
        for column in range(found.num_columns):
            places = images_of(tested, [row], [column])
            assert len(places) == found.counts[row, column]
            assert (np.diff(tested.probabilities[places].astype(float)) <= 0).all()
            seen += places.tolist()
    assert sorted(seen) == list(range(200))
    assert len(images_of(tested, [0, 1], [2, 3])) == found.counts[:2, 2:4].sum()


def test_the_commonest_mistakes() -> None:
    found = confusion(made(5, 400, accuracy=0.2))
    pairs = confused_pairs(found, 7)
    cells = [(found.counts[row, column], row, column) for row in range(5) for column in range(5) if row != column]
    expected = sorted(cells, key=lambda cell: (-cell[0], cell[1], cell[2]))[:7]
    assert [(pair.num_images, pair.true, pair.predicted) for pair in pairs] == expected
    assert confused_pairs(confusion(made(4, 40, accuracy=1.0)), 5) == ()


def test_orders_hold_every_class_once() -> None:
    found = confusion(made(30, 900))
    worst = by_mistakes(found).tolist()
    mistakes = [int(found.images[place] - found.right[place]) for place in worst]
    assert mistakes == sorted(mistakes, reverse=True)
    for order in (worst, by_likeness(found).tolist()):
        assert sorted(order) == list(range(30))


def test_classes_that_are_confused_stand_together() -> None:
    labels, predicted = [0, 0, 1, 2, 2, 3, 4, 5], [3, 3, 5, 4, 4, 0, 2, 1]
    names = tuple("abcdef")
    arrays = (np.array(values, np.uint16) for values in (labels, predicted))
    one, other = arrays
    tested = TestedImages(class_names=names, labels=one, predicted=other, probabilities=np.ones(8, np.float16))
    order = by_likeness(confusion(tested)).tolist()
    assert {frozenset(order[place : place + 2]) for place in (0, 2, 4)} == {
        frozenset({0, 3}),
        frozenset({2, 4}),
        frozenset({1, 5}),
    }


def test_tables_say_what_was_counted() -> None:
    tested = made(4, 60, beyond=2, accuracy=0.3)
    found = confusion(tested)
    rows = list(csv.reader(io.StringIO(confusion_csv(found, [2, 0, 1, 3]))))
    assert rows[0] == ["true \\ predicted", "class 2", "class 0", "class 1", "class 3", "other"]
    assert [row[0] for row in rows[1:]] == ["class 2", "class 0", "class 1", "class 3"]
    assert int(rows[1][2]) == found.counts[2, 0]
    assert int(rows[3][5]) == found.counts[1, 4]
    classes = list(csv.DictReader(io.StringIO(classes_csv(found))))
    assert float(classes[1]["accuracy"]) == pytest.approx(found.right[1] / found.images[1], abs=1e-6)
    images = list(csv.DictReader(io.StringIO(images_csv(tested))))
    assert len(images) == 60
    assert images[7]["true"] == tested.class_names[tested.labels[7]]
    assert sum(image["predicted"] == "other" for image in images) == found.counts[:, 4].sum()


def test_a_class_without_images_has_no_figure() -> None:
    tested = TestedImages(
        class_names=("a", "b"),
        labels=np.zeros(2, np.uint16),
        predicted=np.zeros(2, np.uint16),
        probabilities=np.ones(2, np.float16),
    )
    assert list(csv.DictReader(io.StringIO(classes_csv(confusion(tested)))))[1]["accuracy"] == ""


def test_arrays_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="predicted: received int64"):
        TestedImages(
            class_names=("a",),
            labels=np.zeros(2, np.uint16),
            predicted=np.zeros(2, np.int64),
            probabilities=np.ones(2, np.float16),
        )
    with pytest.raises(ValueError, match="labels: received 4; there are 1 classes"):
        TestedImages(
            class_names=("a",),
            labels=np.full(2, 4, np.uint16),
            predicted=np.zeros(2, np.uint16),
            probabilities=np.ones(2, np.float16),
        )
