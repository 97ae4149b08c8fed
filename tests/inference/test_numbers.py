"""Numbers that are remembered: the same objects while they are, the same values after they were forgotten."""

import pytest

from explorer.architecture import edits
from explorer.inference import changed, infer, numbers
from explorer.zoo.builder import Builder, conv


def test_forgetting_changes_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Builder("net", 3, 16, 16)
    for number in range(12):
        net.add(f"conv{number}", conv(number + 1, 3, padding=1))
    before = infer(net.build())
    assert infer(net.build()).nodes.numbers[5] is before.nodes.numbers[5]
    monkeypatch.setattr(numbers, "_MOST_REMEMBERED", 5)
    architecture = net.build()
    for size in (16, 17, 18, 16):
        edited = edits.set_input_shape(architecture, 3, size, size)
        after = infer(edited)
        assert after == infer(edited)
        expected = {3 * 9 * 1 + 1, *(9 * n * (n + 1) + n + 1 for n in range(1, 12))}
        assert {its.parameters for its in after.nodes.numbers[1:]} == expected


def test_what_was_forgotten_is_not_taken_for_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Builder("net", 3, 16, 16)
    for number in range(6):
        net.add(f"conv{number}", conv(4, 3, padding=1))
    architecture = net.build()
    before = infer(architecture)
    while numbers._memo:
        numbers._forget_oldest()
    assert not numbers._readers
    after = infer(architecture, before)
    assert after.nodes.numbers[1] is not before.nodes.numbers[1]
    assert not changed((architecture, before), (architecture, after)).changed
