"""What a run says of its classes, against torchmetrics on the predictions of a network of plain torch."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.assets import resource
from explorer.runs import ClassesTested, Event, RunConfig, RunControl, RunStore
from explorer.runs.class_figures import class_figures, confusion
from explorer.runs.class_files import read_test
from explorer.runs.latest_answers import LatestAnswers
from explorer.runtime.modules import build_module
from explorer.runtime.torchvision_door import torchvision
from explorer.training import plan_run
from explorer.training.feed import Feed
from explorer.training.live_test import LiveTest
from explorer.training.recorded import train_recorded


def _lenet5() -> nn.Sequential:
    """By hand, with the names of the program's."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=nn.Conv2d(1, 6, 5),
            tanh1=nn.Tanh(),
            pool1=nn.AvgPool2d(2),
            conv2=nn.Conv2d(6, 16, 5),
            tanh2=nn.Tanh(),
            pool2=nn.AvgPool2d(2),
            flatten=nn.Flatten(),
            fc1=nn.Linear(400, 120),
            tanh3=nn.Tanh(),
            fc2=nn.Linear(120, 84),
            tanh4=nn.Tanh(),
            fc3=nn.Linear(84, 10),
        )
    )


@pytest.mark.parametrize("epochs", [1, 2])
def test_the_figures_of_each_class_are_torchmetrics(tmp_path: Path, epochs: int) -> None:
    torchvision()  # where it does not go with torch, torchmetrics finds it mended
    from torchmetrics.functional import classification

    events: list[Event] = []
    config = RunConfig(epochs=epochs, batch_size=64, learning_rate=0.02, device="cpu")
    network = zoo.entry("lenet5").build()
    finished = train_recorded(network, config, events.append, RunControl(), root=tmp_path)
    assert finished.checkpoint is not None

    with np.load(resource("digits", "digits.npz"), allow_pickle=False) as digits:
        train_images, test_images = digits["train_images"] / 255, digits["test_images"] / 255
        labels = torch.from_numpy(digits["test_labels"].astype(np.int64))
    x = F.pad(torch.from_numpy(test_images).reshape(-1, 1, 28, 28), (2, 2, 2, 2))
    x = ((x - train_images.mean()) / train_images.std()).float()
    by_hand = _lenet5().eval()
    by_hand.load_state_dict(load_file(finished.checkpoint))
    with torch.no_grad():
        predicted = by_hand(x).argmax(1)

    told = [event for event in events if isinstance(event, ClassesTested)][-1]
    with RunStore(tmp_path) as store:
        kept = read_test(store.get(finished.run_id).folder, epochs)
    matrix = classification.multiclass_confusion_matrix(predicted, labels, num_classes=10)
    for tested in (told.tested, kept.tested):
        found = confusion(tested)
        assert 0 < tested.num_right < tested.count == 1000, "neither none nor all of them, which would compare little"
        assert found.counts.tolist() == matrix.tolist()
        assert (found.counts != found.counts.T).any(), "rows and columns are told apart"
        figures = class_figures(found)
        shown = {
            "accuracy": figures.accuracy,
            "recall": figures.accuracy,
            "precision": figures.precision,
            "f1_score": figures.f1,
        }
        for name, mine in shown.items():
            theirs = getattr(classification, f"multiclass_{name}")(predicted, labels, num_classes=10, average="none")
            np.testing.assert_allclose(mine, theirs, rtol=1e-6, err_msg=name)


def test_what_is_answered_between_two_tests_is_torchmetrics(tmp_path: Path) -> None:
    """The last whole test, and over it what other weights answer to some of the images."""
    torchvision()
    from torchmetrics.functional import classification

    events: list[Event] = []
    config = RunConfig(epochs=1, batch_size=64, learning_rate=0.02, device="cpu")
    network = zoo.entry("lenet5").build()
    finished = train_recorded(network, config, events.append, RunControl(), root=tmp_path)
    assert finished.checkpoint is not None
    told = next(event for event in events if isinstance(event, ClassesTested))
    plan = plan_run(network, config)
    data = plan.data
    x = F.pad(data.test_images / 255, (2, 2, 2, 2))
    pixels = data.train_images / 255
    x = ((x - pixels.mean()) / pixels.std()).float()
    labels = data.test_labels

    later = build_module(network, seed=11)
    by_hand = {}
    for name, weights in (("last", load_file(finished.checkpoint)), ("later", later.state_dict())):
        module = _lenet5().eval()
        module.load_state_dict(weights)
        with torch.no_grad():
            by_hand[name] = module(x).argmax(1)

    feed = Feed(data.test_images, labels, network.input_shape, plan.normalization, plan.device)
    live = LiveTest("r", later, data, feed, plan.precision.autocast, 128, plan.device)
    first, since = LatestAnswers(None), LatestAnswers(told.tested)
    while since.num_since(-1) < 300:
        event = live.capture(100)
        first.take(event)
        since.take(event)
    assert since.num_since(-1) < 1000
    tried = torch.zeros(1000, dtype=torch.bool)
    assert first.tested().positions is not None
    tried[torch.from_numpy(first.tested().positions)] = True
    mixed = torch.where(tried, by_hand["later"], by_hand["last"])
    for tested, predicted, true in (
        (since.tested(), mixed, labels),
        (first.tested(), by_hand["later"][tried], labels[tried]),
    ):
        found = confusion(tested)
        matrix = classification.multiclass_confusion_matrix(predicted, true, num_classes=10)
        assert found.counts.tolist() == matrix.tolist()
        theirs = classification.multiclass_accuracy(predicted, true, num_classes=10, average="none")
        np.testing.assert_allclose(class_figures(found).accuracy, theirs, rtol=1e-6)
