"""What is offered on a computer with several GPUs."""

import pytest
from PySide6.QtWidgets import QComboBox, QSpinBox
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.look.theme import ThemeSource
from explorer.panels.device_choice import DeviceChoice
from explorer.panels.estimates import Device
from explorer.panels.training.form import ConfigForm
from explorer.runs import RunConfig
from explorer.session import Document


@pytest.fixture
def form(qtbot: QtBot) -> ConfigForm:
    made = ConfigForm(ThemeSource())
    qtbot.addWidget(made)
    return made


def offered(form: ConfigForm) -> list[str]:
    menu = form.editor("device")
    assert isinstance(menu, QComboBox)
    return [menu.itemText(i) for i in range(menu.count())]


def gpus(count: int) -> Device:
    return Device("GPU", 10, 5, count)


@pytest.mark.parametrize("count", [0, 1])
def test_one_gpu_changes_nothing(form: ConfigForm, count: int) -> None:
    before = offered(form)
    choice = DeviceChoice(form, Document())
    choice.set_device(gpus(count))
    choice.set_device(None)
    assert offered(form) == before == ["auto", "cpu", "cuda", "mps"]


def test_two_gpus_are_offered_alone_and_for_the_towers(form: ConfigForm) -> None:
    document = Document()
    choice = DeviceChoice(form, document)
    form.set_config(RunConfig(device="cuda:1", processes=2))
    choice.set_device(gpus(2))
    alone = ["auto", "cpu", "cuda", "mps", "cuda:0", "cuda:1"]
    assert offered(form) == alone
    processes = form.editor("processes")
    assert isinstance(processes, QSpinBox)
    assert processes.text() == "2 of 2 GPUs"
    document.open(zoo.entry("alexnet-two-towers").build())
    assert offered(form) == [*alone, "cuda:0+cuda:1"]
    document.open(zoo.entry("alexnet").build())
    assert offered(form) == alone
    assert form.config == RunConfig(device="cuda:1", processes=2)
    assert form.editor("device").property("currentText") == "cuda:1"


def test_what_is_offered_can_be_chosen(form: ConfigForm, qtbot: QtBot) -> None:
    document = Document()
    document.open(zoo.entry("alexnet-two-towers").build())
    choice = DeviceChoice(form, document)
    choice.set_device(gpus(4))
    menu = form.editor("device")
    assert isinstance(menu, QComboBox)
    for name in offered(form):
        menu.setCurrentText(name)
        menu.activated.emit(menu.currentIndex())
        assert form.config.device == name
