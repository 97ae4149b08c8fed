"""The totals over the canvas: old → new while previewing, what fits, and that nothing jumps."""

import pytest
from pytestqt.qtbot import QtBot

from explorer.app.totals import TotalsBar
from explorer.architecture import edits
from explorer.panels.estimates import Device, Estimates
from explorer.runs import RunConfig
from tests.panels.stage import Stage, shown, stage

GB = 1024**3


@pytest.fixture
def lenet(qtbot: QtBot) -> Stage:
    return stage()


def totals_of(qtbot: QtBot, on: Stage) -> tuple[TotalsBar, Estimates]:
    estimates = Estimates()
    bar = TotalsBar(on.document, estimates, on.themes)
    shown(qtbot, bar, 900, 30)
    bar.apply(None, on.document.snapshot)
    return bar, estimates


def is_too_large(bar: TotalsBar) -> bool:
    return bar.totals[2].is_fault


def test_totals_of_the_network_and_of_its_preview(qtbot: QtBot, lenet: Stage) -> None:
    bar, estimates = totals_of(qtbot, lenet)
    size = estimates.memory(lenet.document.snapshot).training_bytes / 1024**2
    assert bar.text() == f"61.7\u2009k params · 417\u2009k MACs · {size:.2f}\u2009MB for training"
    lenet.document.preview(lambda a: edits.set_value(a, "conv1", "out_channels", 12))
    assert [total.now != total.then for total in bar.totals] == [True, True, True]
    assert "61.7\u2009k → 64.3\u2009k params" in bar.text()
    lenet.document.preview(None)
    assert "→" not in bar.text()
    assert "833,040 floating point operations" in bar.tip()
    assert "SGD, momentum 0.9" in bar.tip()


def test_memory_is_of_the_devices_and_wrong_where_it_does_not_fit(qtbot: QtBot, lenet: Stage) -> None:
    bar, estimates = totals_of(qtbot, lenet)
    assert "not known yet" in bar.tip()
    estimates.set_device(Device("GPU", 24 * GB, 20 * GB))
    assert bar.text().endswith("of 24.0\u2009GB")
    assert not is_too_large(bar)
    needed = estimates.memory(lenet.document.snapshot).training_bytes
    estimates.set_device(Device("GPU", 24 * GB, needed - 1))
    assert is_too_large(bar)
    assert "Largest batch that fits: 63" in bar.tip()
    estimates.set_config(RunConfig(batch_size=63))
    assert not is_too_large(bar)
    # What a preview would need counts while it lasts.
    lenet.document.preview(lambda a: edits.set_value(a, "conv1", "out_channels", 64))
    assert is_too_large(bar)
    lenet.document.preview(None)
    assert not is_too_large(bar)


def test_it_says_where_totals_end_at_a_fault(qtbot: QtBot, lenet: Stage) -> None:
    bar, _ = totals_of(qtbot, lenet)
    lenet.set_value("conv2", "kernel_size", (40, 40))
    assert bar.text().endswith("up to the fault")


def test_nothing_jumps_when_a_number_grows(qtbot: QtBot, lenet: Stage) -> None:
    bar, _ = totals_of(qtbot, lenet)
    widths = set()
    for channels in (6, 7, 16, 17, 40, 120):
        lenet.set_value("conv1", "out_channels", channels)
        widths.add(bar.sizeHint().width())
    assert len(widths) == 1
