"""How well networks fit a search, by searches whose answers can be told from the catalogue by eye."""

import pytest

from explorer.panels.gallery.search import DESCRIBED, Band, Facts, Wanted, rank
from explorer.zoo import entries, entry


def _found(text: str) -> list[str]:
    ranked = [(found, e.id) for e in entries() if (found := rank(e, text)) is not None]
    return [network_id for _rank, network_id in sorted(ranked, key=lambda entry: entry[0])]


def test_names_come_before_descriptions() -> None:
    found = _found("vgg")
    named = [e.id for e in entries() if "vgg" in f"{e.title} {e.family}".casefold()]
    assert len(named) < len(found), "others are compared with it"
    assert set(found[: len(named)]) == set(named)
    assert rank(entry("resnet152"), "vgg") == DESCRIBED, "its idea names VGG-19"


def test_the_whole_name_comes_first() -> None:
    assert _found("resnet-50")[0] == "resnet50"
    assert _found("LeNet-5")[0] == "lenet5"


@pytest.mark.parametrize(("text", "network_id"), [("inception", "inception-v3"), ("mobile", "mobilenet-v2")])
def test_a_beginning_beats_a_mention(text: str, network_id: str) -> None:
    assert rank(entry(network_id), text) in {0, 1}
    assert rank(entry("squeezenet1-0"), text) is None or rank(entry("squeezenet1-0"), text) == DESCRIBED


def test_all_words_have_to_fit_and_the_worst_counts() -> None:
    assert rank(entry("vgg16"), "vgg dropout-free-nonsense") is None
    both = rank(entry("lenet5-relu-dropout"), "dropout older")
    assert both is not None
    assert both >= DESCRIBED
    assert rank(entry("lenet5-relu-dropout"), "dropout") in range(DESCRIBED)
    assert rank(entry("lenet5"), "") == 0


def test_a_year_is_part_of_the_name() -> None:
    assert {entry(i).year for i in _found("1998") if (rank(entry(i), "1998") or 0) < DESCRIBED} == {1998}


def test_bands_leave_what_lies_in_them_and_wait_for_what_is_not_counted() -> None:
    wanted = Wanted(parameters=Band(1e6, 10e6), macs=Band(None, 1e9))
    assert wanted.is_filtered
    assert wanted.rank(entry("mobilenet-v2"), Facts(3_504_872, 300_774_272)) == 0
    assert wanted.rank(entry("mobilenet-v2"), Facts(1_000_000, 300_774_272)) is None
    assert wanted.rank(entry("mobilenet-v2"), Facts(10_000_000, 1_000_000_000)) == 0
    assert wanted.rank(entry("mobilenet-v2"), None) is None
    assert Wanted(years=Band(None, 2011)).rank(entry("lenet5"), None) == 0
    assert Wanted(years=Band(None, 2011)).rank(entry("vgg16"), None) is None
    assert not Wanted("vgg").is_filtered
