"""Exported files against the network that they came from, and what happens when writing them fails."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import safetensors
import safetensors.torch
import torch

from explorer.architecture import edits
from explorer.export import ExportCancelled, ExportError, network_class_name, to_source
from explorer.export import export as export_module
from explorer.export.certificate import Artefact, Certificate, Check, verify
from explorer.export.export import export_model, outputs_of
from explorer.export.onnx import write_onnx
from explorer.export.weights import write_weights
from explorer.runtime.modules import Network, build_module
from explorer.zoo import entry
from tests.export.networks import awkward
from tests.networks import branching

IMAGES = torch.rand(5, 3, 16, 16, generator=torch.Generator().manual_seed(4))


def trained() -> Network:
    """A network whose weights are not the ones that an export without weights would take."""
    network = build_module(branching(), seed=7)
    for _ in range(3):
        network(torch.rand(8, 3, 16, 16))
    return network.eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Certificate, Network]:
    folder, network = tmp_path_factory.mktemp("exported"), trained()
    targets = [folder / "model.py", folder / "model.safetensors", folder / "model.onnx"]
    certificate = export_model(branching(), network.state_dict(), targets, images=IMAGES, check=True)
    return folder, certificate, network


def test_each_file_is_checked_and_passes(exported: tuple[Path, Certificate, Network]) -> None:
    folder, certificate, _ = exported
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "model.py", "model.safetensors"]
    assert certificate.passed
    assert certificate.trained
    source, onnx = certificate.checks
    assert source.files == ("model.py", "model.safetensors")
    assert source.max_abs_difference == 0
    assert source.versions["torch"] == torch.__version__
    assert onnx.files == ("model.onnx",)
    assert onnx.max_abs_difference is not None
    assert 0 <= onnx.max_abs_difference <= onnx.tolerance
    assert onnx.versions["onnxruntime"] == onnxruntime.__version__
    assert source.num_images == onnx.num_images == len(IMAGES)
    assert "model.onnx: passed" in certificate.text
    assert certificate.to_plain()["passed"] is True


def test_onnxruntime_agrees_with_torch_for_any_batch(exported: tuple[Path, Certificate, Network]) -> None:
    folder, _, network = exported
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [(i.name, i.shape[1:]) for i in session.get_inputs()] == [("images", [3, 16, 16])]
    assert [o.name for o in session.get_outputs()] == ["fc", "aux.fc"]
    for count in (1, 2, 7):
        images = torch.rand(count, 3, 16, 16)
        received = session.run(None, {"images": images.numpy()})
        for one, other in zip(received, outputs_of(network, images), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_awkward_names_reach_onnx_too(tmp_path: Path) -> None:
    network = build_module(awkward(), seed=5).eval()
    write_onnx(tmp_path / "model.onnx", network)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [o.name for o in session.get_outputs()] == ["_modules", "softmax"]
    received = session.run(None, {"images": IMAGES.numpy()})
    for one, other in zip(received, outputs_of(network, IMAGES), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_the_weights_name_their_network(exported: tuple[Path, Certificate, Network]) -> None:
    folder, _, network = exported
    with safetensors.safe_open(folder / "model.safetensors", framework="pt") as file:
        assert file.metadata()["architecture"] == "branching"
        assert set(file.keys()) == set(network.state_dict())
    for key, value in safetensors.torch.load_file(folder / "model.safetensors").items():
        assert torch.equal(value, network.state_dict()[key])


def source_check(folder: Path, network: Network, **more: Callable[[], bool] | float) -> Check:
    artefact = Artefact(
        kind="source",
        model=folder / "model.py",
        weights=folder / "model.safetensors",
        class_name=network_class_name(branching()),
        files=("model.py", "model.safetensors"),
    )
    expected = outputs_of(network, IMAGES)
    return verify(artefact, IMAGES.numpy(), expected, num_threads=torch.get_num_threads(), **more)  # type: ignore[arg-type]


def write_pair(folder: Path, network: Network) -> dict[str, torch.Tensor]:
    weights = {key: value.clone() for key, value in network.state_dict().items()}
    (folder / "model.py").write_text(to_source(branching()), encoding="utf-8")
    safetensors.torch.save_file(weights, folder / "model.safetensors")
    return weights


def test_a_flipped_weight_fails_the_certificate(tmp_path: Path) -> None:
    network = trained()
    weights = write_pair(tmp_path, network)
    weights["fc.weight"][0, 0] *= -1
    safetensors.torch.save_file(weights, tmp_path / "model.safetensors")
    check = source_check(tmp_path, network)
    assert not check.passed
    assert check.max_abs_difference is not None
    assert check.max_abs_difference > check.tolerance
    assert "FAILED: outputs differ" in check.text


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}"), "safetensors"),
        (lambda folder: (folder / "model.py").write_text(to_source(entry("lenet5").build())), "Branching"),
    ],
)
def test_files_that_do_not_load_fail_the_certificate(
    spoil: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    network = trained()
    write_pair(tmp_path, network)
    spoil(tmp_path)
    check = source_check(tmp_path, network)
    assert not check.passed
    assert check.max_abs_difference is None
    assert message.lower() in check.message.lower()
    assert "\n" not in check.text


def test_a_check_can_be_cancelled_and_has_a_limit(tmp_path: Path) -> None:
    network = trained()
    write_pair(tmp_path, network)
    marker = tmp_path / "alive"
    endless = f"import pathlib, time\nwhile True:\n    pathlib.Path({str(marker)!r}).touch()\n    time.sleep(0.01)\n"
    (tmp_path / "model.py").write_text(endless, encoding="utf-8")
    with pytest.raises(ExportCancelled):
        source_check(tmp_path, network, cancelled=marker.exists)
    marker.unlink()
    check = source_check(tmp_path, network, time_limit_s=0.5)
    assert "still running" in check.message
    assert not check.passed


def test_a_cancelled_export_writes_nothing(tmp_path: Path) -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) > 3

    target = tmp_path / "model.py"
    target.write_text("mine")
    with pytest.raises(ExportCancelled):
        export_model(branching(), None, [target], images=IMAGES, check=True, cancelled=cancelled)
    assert target.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [target]


def test_an_export_that_fails_its_check_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = write_weights

    def flipped(path: Path, state_dict: dict[str, torch.Tensor], name: str) -> None:
        real(path, {**state_dict, "fc.weight": -state_dict["fc.weight"]}, name)

    monkeypatch.setattr(export_module, "write_weights", flipped)
    target = tmp_path / "model.safetensors"
    target.write_bytes(b"mine")
    certificate = export_model(branching(), None, [target], images=IMAGES, check=True)
    assert not certificate.passed
    assert "FAILED" in certificate.text
    assert target.read_bytes() == b"mine"


def test_without_trained_weights_the_seeded_ones_leave_and_the_certificate_says_so(tmp_path: Path) -> None:
    certificate = export_model(branching(), None, [tmp_path / "w.safetensors"], images=None, check=False)
    assert not certificate.trained
    assert not certificate.passed
    assert "untrained" in certificate.text
    assert "not checked" in certificate.text
    initial = build_module(branching(), seed=export_module.INITIAL_SEED).state_dict()
    for key, value in safetensors.torch.load_file(tmp_path / "w.safetensors").items():
        assert torch.equal(value, initial[key])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.txt", r"cannot export to '\.txt'; use \.py, \.safetensors, \.onnx"),
        ("model", r"cannot export to no suffix"),
        ("missing/model.py", "there is no folder"),
        ("folder.py", "is a folder"),
    ],
)
def test_targets_that_cannot_be_are_refused_before_anything_is_done(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(ExportError, match=message):
        export_model(branching(), None, [tmp_path / name], images=None, check=False)
    with pytest.raises(ExportError, match="no file to export to"):
        export_model(branching(), None, [], images=None, check=False)


def test_a_full_disk_leaves_every_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = [tmp_path / "model.py", tmp_path / "model.safetensors"]
    for target in targets:
        target.write_text("mine")
    synced = []

    def full(descriptor: int) -> None:
        # The files staged elsewhere fit; the second one beside its target does not.
        if Path(f"/proc/self/fd/{descriptor}").readlink().parent == tmp_path:
            synced.append(descriptor)
            if len(synced) == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError, match="No space left on device; nothing was exported"):
        export_model(branching(), None, targets, images=None, check=False)
    assert len(synced) == 2
    assert [target.read_text() for target in targets] == ["mine", "mine"]
    assert sorted(tmp_path.iterdir()) == targets


def test_a_replaced_file_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "model.py", tmp_path / "model.py"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    export_model(branching(), None, [link], images=None, check=False)
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == to_source(branching())
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_networks_and_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    broken = edits.set_value(branching(), "stem.conv", "kernel_size", 99)
    with pytest.raises(ExportError, match=r"mend them first: stem\.conv: kernel_size 99"):
        export_model(broken, None, [tmp_path / "model.py"], images=None, check=False)
    weights = build_module(branching(), seed=0).state_dict()
    del weights["fc.bias"]
    with pytest.raises(ExportError, match=r"another network's.*fc\.bias"):
        export_model(branching(), weights, [tmp_path / "model.py"], images=None, check=False)
    assert not list(tmp_path.iterdir())


def test_progress_grows_to_one(tmp_path: Path) -> None:
    said: list[tuple[str, float]] = []
    export_model(
        branching(),
        None,
        [tmp_path / "model.py"],
        images=IMAGES,
        check=True,
        progress=lambda text, share: said.append((text, share)),
    )
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert said[0] == ("Writing model.py", 0.0)
    assert said[-1][1] == 1.0


def test_the_checking_script_knows_nothing_of_this_program() -> None:
    script = Path(export_module.__file__).with_name("check_script.py")
    text = script.read_text(encoding="utf-8")
    assert "import explorer" not in text
    assert "from explorer" not in text
    done = subprocess.run([sys.executable, "-I", "-c", f"compile({text!r}, 's', 'exec')"], check=False)
    assert done.returncode == 0
