"""An augmentation holds only strengths that fit, says what would, and survives its written form."""

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.runs.augmentation import (
    AUGMENTATION_FORMS,
    NO_AUGMENTATION,
    Augmentation,
    canonical_augmentation,
    parse_augmentation,
)
from explorer.runs.augmentation_transforms import GROUPS, TRANSFORMS, Crop, Flip, Jitter, Mixup, Transform


def transforms(kind: type[Transform]) -> st.SearchStrategy[Any]:
    values = {
        s.name: st.integers(int(s.minimum), int(s.maximum)) if s.kind == "int" else st.floats(s.minimum, s.maximum)
        for s in kind.strengths()
    }
    return st.builds(lambda found: kind(**found), st.fixed_dictionaries(values))


def augmentations() -> st.SearchStrategy[Augmentation]:
    return st.builds(
        lambda found: Augmentation(**found),
        st.fixed_dictionaries({kind.name: st.none() | transforms(kind) for kind in TRANSFORMS}),
    )


@given(augmentations())
def test_the_written_form_reads_back_to_the_last_bit(augmentation: Augmentation) -> None:
    assert parse_augmentation(augmentation.written) == augmentation
    assert canonical_augmentation(augmentation.written) == augmentation.written


def test_every_field_has_its_transform_and_every_transform_its_description() -> None:
    assert [field.name for field in dataclasses.fields(Augmentation)] == [kind.name for kind in TRANSFORMS]
    for kind in TRANSFORMS:
        assert kind.title
        assert kind.help
        assert kind.group in GROUPS
        assert f"{kind.name}:" in AUGMENTATION_FORMS
        assert kind.strengths()
        for strength in kind.strengths():
            assert strength.title
            assert strength.help
            assert strength.minimum <= strength.neutral <= strength.maximum
            assert strength.check(kind.name, strength.default) == strength.default
            assert strength.step > 0


def test_what_is_left_out_takes_its_default() -> None:
    parsed = parse_augmentation(" flip , crop,mixup:0.4, jitter:0.5/0.4")
    assert parsed == Augmentation(
        flip=Flip(), crop=Crop(), mixup=Mixup(alpha=0.4), jitter=Jitter(brightness=0.5, contrast=0.4)
    )
    assert parsed.written == "flip:0.5,crop:4,jitter:0.5/0.4/0.2/0.05,mixup:0.4"


@pytest.mark.parametrize("text", ["", "  ", NO_AUGMENTATION])
def test_nothing_is_written_as_none(text: str) -> None:
    assert parse_augmentation(text) == Augmentation()
    assert canonical_augmentation(text) == NO_AUGMENTATION
    assert Augmentation().text == NO_AUGMENTATION


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cropp", "augmentation: unknown transform 'cropp'; did you mean crop?"),
        ("flip,", "augmentation: unknown transform ''; did you mean flip or crop or "),
        ("Flip", "unknown transform 'Flip'; did you mean flip"),
        ("crop:x", "augmentation crop: padding received 'x'; use a whole number from 0 to 256"),
        ("crop:1.5", "padding received '1.5'; use a whole number from 0 to 256"),
        ("crop:", "padding received ''; use a whole number"),
        ("flip:nan", "augmentation flip: p received 'nan'; use a number from 0 to 1"),
        ("erase:0.5/2", "augmentation erase: area received '2'; use a number from 0 to 1"),
        ("mixup:1/2", "augmentation mixup: received 2 strengths; use at most 1: mixup:ALPHA"),
        ("flip,crop,flip:1", "augmentation flip: received twice; name each transform once"),
    ],
)
def test_what_cannot_be_read_says_what_fits(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_augmentation(text)


@pytest.mark.parametrize("value", [True, "4", None, 4.0, -1, 257])
def test_a_strength_of_the_wrong_type_or_size_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="augmentation crop: padding received"):
        Crop(padding=value)


def test_a_transform_in_anothers_place_is_refused() -> None:
    wrong: Any = Crop()
    with pytest.raises(TypeError, match="augmentation flip: received Crop"):
        Augmentation(flip=wrong)


def test_transforms_come_in_their_order_and_can_be_replaced() -> None:
    augmentation = Augmentation(mixup=Mixup(), flip=Flip())
    assert augmentation.transforms == (Flip(), Mixup())
    assert augmentation.replaced("flip", None) == Augmentation(mixup=Mixup())
    assert augmentation.text == "horizontal flip (probability 0.5), mixup (alpha 0.2)"
    assert augmentation.transform("crop") is None
