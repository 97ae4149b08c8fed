"""What was evaluated since a test, put over it: against a dictionary that takes one answer after the other."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from explorer.runs.class_figures import TestedImages, confident_mistakes, confusion, images_csv
from explorer.runs.latest_answers import LatestAnswers
from explorer.runs.observed import ImagesEvaluated
from tests.runs.test_class_figures import made


def evaluated(
    whole: TestedImages, positions: npt.ArrayLike, predicted: npt.ArrayLike, *, step: int = 1, run_id: str = "r"
) -> ImagesEvaluated:
    """Answers to some of a test's images, each surer than the one before."""
    places = np.array(positions, np.uint32)
    return ImagesEvaluated(
        run_id=run_id,
        step=step,
        class_names=whole.class_names,
        num_images=whole.count,
        positions=places,
        labels=whole.labels[places],
        predicted=np.array(predicted, np.uint16),
        probabilities=np.linspace(0.25, 0.75, len(places)).astype(np.float16),
    )


@pytest.mark.parametrize("has_base", [True, False])
def test_the_latest_answer_counts(has_base: bool) -> None:
    whole = made(4, 60)
    random = np.random.default_rng(3)
    answers = LatestAnswers(whole if has_base else None)
    by_hand = dict(enumerate(whole.predicted.tolist())) if has_base else {}
    new: set[int] = set()
    for _ in range(5):
        positions, predicted = random.integers(0, 60, 9), random.integers(0, 4, 9)
        answers.take(evaluated(whole, positions, predicted))
        for position, said in zip(positions.tolist(), predicted.tolist(), strict=True):
            by_hand[position] = said
            new.add(position)
        tested = answers.tested()
        places = [tested.position(place) for place in range(tested.count)]
        assert places == sorted(by_hand)
        assert tested.predicted.tolist() == [by_hand[position] for position in places]
        assert tested.labels.tolist() == whole.labels[places].tolist()
        assert (answers.num_since(-1), answers.num_images) == (len(new), 60)
    assert 0 < len(new) < 60


def test_the_test_itself_and_what_was_shown_before_stay() -> None:
    whole = made(4, 60)
    kept = whole.predicted.copy()
    answers = LatestAnswers(whole)
    first = answers.tested()
    answers.take(evaluated(whole, range(60), (whole.predicted + 1) % 4))
    assert np.array_equal(first.predicted, kept)
    assert np.array_equal(whole.predicted, kept)
    assert not (answers.tested().predicted == kept).any()


@pytest.mark.parametrize("has_base", [True, False])
def test_a_test_that_comes_late_goes_below_what_is_newer(has_base: bool) -> None:
    first, late = made(4, 60, 1), made(4, 60, 2)
    random = np.random.default_rng(5)
    answers = LatestAnswers(first if has_base else None)
    of_step: dict[int, tuple[int, int]] = {}
    for step in (15, 20, 22, 27):
        positions, predicted = random.integers(0, 60, 12), random.integers(0, 4, 12)
        answers.take(evaluated(first, positions, predicted, step=step))
        of_step |= {place: (step, said) for place, said in zip(positions.tolist(), predicted.tolist(), strict=True)}
    newer = {place: said for place, (step, said) in of_step.items() if step > 20}
    assert 0 < len(newer) < len(of_step)
    assert answers.num_since(20) == len(newer)
    before = answers.tested()
    kept = before.predicted.copy()
    # The labels are those of the same images.
    late = replace(late, labels=first.labels)
    answers.put_below(late, 20)
    assert answers.num_since(-1) == len(newer)
    tested = answers.tested()
    assert tested.positions is None
    assert tested.predicted.tolist() == [newer.get(place, said) for place, said in enumerate(late.predicted.tolist())]
    from_late = [place for place in range(60) if place not in newer]
    assert tested.probabilities[from_late].tolist() == late.probabilities[from_late].tolist()
    assert np.array_equal(before.predicted, kept)
    with pytest.raises(ValueError, match=r"received a test of 40 images; answers were to 60"):
        answers.put_below(made(4, 40), 30)


def test_before_the_first_test_only_what_was_tried_is_there() -> None:
    whole = made(3, 30)
    answers = LatestAnswers(None)
    with pytest.raises(ValueError, match="no answers yet"):
        answers.tested()
    positions = [29, 4, 17]
    answers.take(evaluated(whole, positions, (whole.labels[positions] + 1) % 3))
    tested = answers.tested()
    assert confusion(tested).counts.sum() == 3
    assert [tested.position(int(place)) for place in confident_mistakes(tested, 9)] == [17, 4, 29]
    assert [line.split(",")[0] for line in images_csv(tested).splitlines()[1:]] == ["4", "17", "29"]
    answers.take(evaluated(whole, range(30), whole.labels))
    assert answers.tested().positions is None
    assert answers.tested().num_right == 30


def test_answers_to_other_images_are_refused() -> None:
    answers = LatestAnswers(made(3, 30))
    with pytest.raises(ValueError, match=r"received answers to 40 images; the test had 30"):
        answers.take(evaluated(made(3, 40), [1], [1]))
    wrong = evaluated(made(3, 30), [1], [1])
    wrong.positions[:] = 30
    with pytest.raises(ValueError, match=r"positions: received 30; there are 30"):
        answers.take(wrong)
