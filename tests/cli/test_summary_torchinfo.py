"""`summary --format torchinfo` against torchinfo itself, on real tensors."""

import pytest
import torchinfo

from explorer import zoo
from explorer.cli import main
from explorer.runtime.modules import build_module

Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("network", "batch_size"),
    [("lenet5", 10), ("lenet5-1998", 3), ("lenet5-max", 2), ("resnet18", 1), ("shufflenet-v2-0-5", 2)],
)
def test_it_is_torchinfos_own_text(capsys: Output, network: str, batch_size: int) -> None:
    architecture = zoo.entry(network).build()
    assert main(["summary", network, "--batch-size", str(batch_size), "--format", "torchinfo"]) == 0
    size = (batch_size, *architecture.input_shape)
    expected = str(torchinfo.summary(build_module(architecture), size, verbose=0))
    assert capsys.readouterr().out == f"{expected}\n"


def test_it_takes_the_input_that_is_asked_for(capsys: Output) -> None:
    assert main(["summary", "resnet18", "--input", "3x64x64", "--format", "torchinfo"]) == 0
    assert "[1, 64, 32, 32]" in capsys.readouterr().out


def test_a_network_with_faults_is_an_error(capsys: Output) -> None:
    assert main(["summary", "lenet5", "--input", "1x8x8", "--format", "torchinfo"]) != 0
    captured = capsys.readouterr()
    assert "torchinfo cannot run LeNet-5" in captured.err
    assert captured.out == ""


def test_json_and_torchinfo_exclude_each_other(capsys: Output) -> None:
    assert main(["summary", "lenet5", "--json", "--format", "torchinfo"]) == 2
    assert "not allowed with" in capsys.readouterr().err
