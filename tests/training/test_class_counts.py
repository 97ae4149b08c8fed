"""What a run says of its test images, against predictions made by hand with the weights that it kept."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer import zoo
from explorer.architecture import Architecture
from explorer.layers import Linear
from explorer.runs import ClassesTested, EpochFinished, Event, RunConfig, RunControl, RunStore
from explorer.runs.class_figures import confusion
from explorer.runs.class_files import kept_epochs, read_test
from explorer.runtime.images import to_network_input
from explorer.runtime.modules import build_module
from explorer.runtime.weights import carry_weights, load_weights
from explorer.training import plan_run
from explorer.training.class_counts import Answers
from explorer.training.distributed import Alone
from explorer.training.recorded import train_recorded
from explorer.zoo.builder import Builder, flatten


class _Rank(Alone):
    """One of several whose arrays are summed by hand."""

    def __init__(self, others: Tensor) -> None:
        self.others = others
        self.given = torch.zeros(0)

    def sum_of(self, values: Tensor) -> Tensor:
        self.given = values
        return values + self.others


def _logits() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    return torch.randn(23, 7, generator=generator) * 4, torch.randint(7, (23,), generator=generator)


def _filled(answers: Answers, logits: Tensor, starts: list[int], size: int) -> None:
    answers.begin()
    for start in starts:
        part = logits[start : start + size]
        answers.add(start, part, part.argmax(1))


def test_answers_are_torchs_own() -> None:
    logits, labels = _logits()
    answers = Answers(labels, tuple("abcdefg"))
    for _ in range(2):
        _filled(answers, logits, [0, 8, 16], 8)
        tested = answers.fetch()
        assert tested.labels.tolist() == labels.tolist()
        probabilities, predicted = logits.softmax(1).max(1)
        assert tested.predicted.tolist() == predicted.tolist()
        np.testing.assert_allclose(tested.probabilities, probabilities.numpy(), atol=1e-3)


def test_several_processes_have_what_one_has() -> None:
    logits, labels = _logits()
    alone = Answers(labels, tuple("abcdefg"))
    _filled(alone, logits, [0, 8, 16], 8)
    expected = alone.fetch()
    parts = []
    for starts in ([0, 16], [8], []):
        rank = _Rank(torch.zeros(2, 23))
        answers = Answers(labels, tuple("abcdefg"))
        _filled(answers, logits, starts, 8)
        answers.fetch(rank)
        parts.append(rank.given)
    last = Answers(labels, tuple("abcdefg"))
    _filled(last, logits, [], 8)
    found = last.fetch(_Rank(parts[0] + parts[1] + parts[2]))
    assert np.array_equal(found.predicted, expected.predicted)
    assert np.array_equal(found.probabilities, expected.probabilities)


def _network(classes: int) -> Architecture:
    net = Builder("linear", 1, 28, 28)
    net.add("flatten", flatten())
    net.add("fc", Linear(out_features=classes))
    return net.build()


@pytest.mark.parametrize("classes", [10, 14])
def test_a_run_tells_and_keeps_what_its_weights_answer(tmp_path: Path, classes: int) -> None:
    events: list[Event] = []
    config = RunConfig(epochs=2, batch_size=200, learning_rate=0.05, device="cpu")
    network = _network(classes)
    finished = train_recorded(network, config, events.append, RunControl(), root=tmp_path)
    told = [event for event in events if isinstance(event, ClassesTested)]
    ends = [event for event in events if isinstance(event, EpochFinished)]
    assert [event.epoch for event in told] == [1, 2]
    for event, end in zip(told, ends, strict=True):
        assert event.step == end.step
        # In float32 the counts are exact, and so is their share.
        assert event.tested.num_right / event.tested.count == pytest.approx(end.test_accuracy, abs=1e-12)
        assert events.index(event) < events.index(end)
    assert finished.checkpoint is not None
    plan = plan_run(network, config)
    module = build_module(network)
    carry_weights(load_weights(Path(finished.checkpoint)), module)
    x = to_network_input(plan.data.test_images, network.input_shape, plan.normalization)
    with torch.no_grad():
        logits = module.eval()(x)
    by_hand = np.zeros((10, classes), int)
    for label, answer in zip(plan.data.test_labels.tolist(), logits.argmax(1).tolist(), strict=True):
        by_hand[label, answer] += 1
    assert (confusion(told[-1].tested).counts[:, :10] == by_hand[:, :10]).all()
    with RunStore(tmp_path) as store:
        folder = store.get(finished.run_id).folder
    assert kept_epochs(folder) == (1, 2)
    assert np.array_equal(read_test(folder, 2).tested.predicted, told[-1].tested.predicted)


def test_a_catalogue_network_says_the_names_of_its_classes() -> None:
    plan = plan_run(zoo.entry("lenet5").build(), RunConfig(device="cpu"))
    answers = Answers(plan.data.test_labels, plan.data.class_names)
    assert answers.fetch().class_names == tuple("0123456789")
