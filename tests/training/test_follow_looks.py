"""A real run that answers its followers: what arrives is what torch makes of the weights that the run keeps."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from explorer import zoo
from explorer.runs import (
    Event,
    FeatureMapsCaptured,
    LayersMeasured,
    LayersOpened,
    Look,
    Probe,
    ProbesExplained,
    RunConfig,
    RunControl,
    StateChanged,
    StepsRecorded,
    WeightsCaptured,
    default_root,
)
from explorer.runs.follow_looks import LookReader
from explorer.runs.launch import listening
from explorer.runs.looks import Pixel
from explorer.runs.moments_packing import RELATIVE_ERROR
from explorer.runs.observed import ChannelCompared, FieldMeasured, ImagesEvaluated
from explorer.runtime.modules import build_module
from explorer.training import load_data
from explorer.training.recorded import train_recorded

RANDOM = np.random.default_rng(4)
PROBES = tuple(
    Probe(label=f"noise {i}", image=RANDOM.integers(0, 256, (1, 28, 28), dtype=np.uint8), target=i) for i in range(3)
)
LOOK = Look(
    probes=PROBES,
    current=1,
    maps=("conv1",),
    opened=("conv2", "fc2"),
    weighed=("fc2",),
    measures=True,
    explained=True,
    explained_layer="conv1",
    explained_class=3,
)


class Resting:
    """A run in a thread that stands still after some steps."""

    def __init__(self) -> None:
        self.control = RunControl()
        self.step: int | None = None
        self.has_ended = False
        self._rests = threading.Event()
        self._last_step = 0
        self._thread = threading.Thread(target=self._train, name="training")
        self._thread.start()

    def _train(self) -> None:
        config = RunConfig(epochs=100, batch_size=64, device="cpu", learning_rate=0.05)
        try:
            with listening(self.control) as hear:

                def emit(event: Event) -> None:
                    hear(event)
                    if isinstance(event, StepsRecorded):
                        self._last_step = event.first_step + len(event.losses) - 1
                        self.control.pause()
                    elif isinstance(event, StateChanged) and event.state == "paused":
                        self.step = self._last_step
                        self._rests.set()

                train_recorded(zoo.entry("lenet5").build(), config, emit, self.control)
        finally:
            self.has_ended = True
            self._rests.set()

    def folder(self) -> Path:
        """Of the run, once it rests."""
        self._rests.wait()
        assert not self.has_ended
        (folder,) = {path.parent for path in default_root().rglob("architecture.arch.json")}
        return folder

    def answers(self, reader: LookReader, kinds: set[type[Any]]) -> dict[type[Any], Any]:
        """The first of each kind that is of the weights at rest."""
        found: dict[type[Any], Any] = {}
        while not kinds <= found.keys():
            assert not self.has_ended
            found |= {type(event): event for event in reader.poll() if event.step == self.step}
        return found

    def end(self) -> None:
        self.control.stop()
        self._thread.join()


def near(got: npt.NDArray[Any], expected: npt.NDArray[Any]) -> None:
    """Equal, but for the half precision of large arrays and the order of sums."""
    assert got.shape == expected.shape
    atol = 2 * RELATIVE_ERROR * float(np.abs(expected).max())
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=atol)


def tensor(array: npt.NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.array(array))


def test_followers_see_in_every_view_what_the_weights_make(own_home: Path) -> None:
    run = Resting()
    try:
        folder = run.folder()
        reader, other = LookReader(folder), LookReader(folder)
        reader.ask(LOOK)
        answers = run.answers(
            reader, {FeatureMapsCaptured, LayersOpened, WeightsCaptured, LayersMeasured, ProbesExplained}
        )
        # The second one asks for something else; the first one goes without harm.
        other.ask(Look(probes=PROBES, compared=("conv1", 2), pointed=Pixel("conv2", 1, 4, 4), tested=True))
        others = run.answers(other, {ChannelCompared, FieldMeasured, ImagesEvaluated})
        reader.close()
        assert len(list(folder.glob("watch*.npz"))) == 1
        other.close()
    finally:
        run.end()
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    weights = load_file(folder / "weights.safetensors")
    network.load_state_dict(weights)
    network.eval()
    explained: ProbesExplained = answers[ProbesExplained]
    assert [answer.probe for answer in explained.answers] == ["noise 0", "noise 1", "noise 2"]
    assert (explained.layer, {answer.explained_class for answer in explained.answers}) == ("conv1", {3})
    images = torch.stack([tensor(answer.image) for answer in explained.answers])
    # One scale and one shift for all pixels: images are the probes, resized by nothing but their margin.
    inner = images[:, 0, 2:-2, 2:-2].flatten().numpy()
    pixels = np.concatenate([probe.image.ravel() for probe in PROBES]).astype(np.float32)
    assert np.corrcoef(inner, pixels)[0, 1] > 0.9999
    with torch.no_grad():
        logits = network(images)
        for answer, expected in zip(explained.answers, functional.softmax(logits, 1).numpy(), strict=True):
            near(answer.probabilities, expected)
    opened: LayersOpened = answers[LayersOpened]
    assert opened.probe == "noise 1"
    conv2, fc2 = opened.layers["conv2"], opened.layers["fc2"]
    near(
        conv2.output, functional.conv2d(tensor(conv2.inputs[0]), weights["conv2.weight"], weights["conv2.bias"]).numpy()
    )
    near(fc2.output, (weights["fc2.weight"] @ tensor(fc2.inputs[0]) + weights["fc2.bias"]).numpy())
    near(fc2.parameters["weight"], weights["fc2.weight"].numpy())
    captured: WeightsCaptured = answers[WeightsCaptured]
    near(captured.layers["fc2"].weight, weights["fc2.weight"].numpy())
    change = captured.layers["fc2"].change
    assert change is not None
    assert float(np.abs(change).max()) > 0
    measured: LayersMeasured = answers[LayersMeasured]
    for node_id in ("conv1", "conv2", "fc2"):
        norm = torch.cat([weights[f"{node_id}.{name}"].flatten() for name in ("weight", "bias")]).norm()
        assert measured.layers[node_id].weight_norm == pytest.approx(float(norm), rel=1e-5)
    with torch.no_grad():
        first = functional.conv2d(images, weights["conv1.weight"], weights["conv1.bias"]).numpy()
    near(others[ChannelCompared].maps, first[:, 2])
    evaluated: ImagesEvaluated = others[ImagesEvaluated]
    data = load_data("digits")
    places = torch.from_numpy(evaluated.positions.astype(np.int64))
    train = data.train_images / 255
    x = functional.pad(data.test_images[places] / 255, (2, 2, 2, 2))
    with torch.no_grad():
        probabilities, predicted = network((x - train.mean()) / train.std()).softmax(1).max(1)
    assert evaluated.positions.size > 0
    assert evaluated.predicted.tolist() == predicted.tolist()
    assert evaluated.labels.tolist() == data.test_labels[places].tolist()
    np.testing.assert_allclose(evaluated.probabilities, probabilities, atol=2e-3)
    heat = others[FieldMeasured].heat
    assert heat.shape == images.shape[2:]
    # Two convolutions of 5 and a pooling of 2: 14 pixels from the eighth on.
    rows, columns = np.nonzero(heat)
    assert (rows.min(), columns.min()) >= (8, 8)
    assert max(rows.max(), columns.max()) < 8 + 14
    # Nothing is left behind, however late the last answers were written.
    assert list(folder.glob("*.npz")) == []
