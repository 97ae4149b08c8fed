"""Runs one exported model on given images; the certificate starts it as a script, in a process of its own.

It stands for "elsewhere": torch and safetensors, or onnxruntime, and nothing of this program. Its one argument is a
folder with `job.json` and `images.npz`; it writes `outputs.npz` and `versions.json` there.
"""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np


def run_source(job: dict[str, Any], images: Any) -> tuple[list[Any], dict[str, str]]:
    """The outputs of a model.py with the weights of a safetensors file."""
    import safetensors
    import safetensors.torch
    import torch

    torch.set_num_threads(job["num_threads"])
    model = runpy.run_path(job["model"], run_name="exported_model")[job["class_name"]]()
    model.load_state_dict(safetensors.torch.load_file(job["weights"]), strict=True)
    model.eval()
    with torch.inference_mode():
        outputs = model(torch.from_numpy(images))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return [output.numpy() for output in outputs], {"torch": torch.__version__, "safetensors": safetensors.__version__}


def run_onnx(job: dict[str, Any], images: Any) -> tuple[list[Any], dict[str, str]]:
    """The outputs of an ONNX file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(job["model"], providers=["CPUExecutionProvider"])
    return session.run(None, {job["input"]: images}), {"onnxruntime": onnxruntime.__version__}


def main(folder: Path) -> None:
    """Do the job in the folder."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    with np.load(folder / "images.npz", allow_pickle=False) as file:
        images = file["images"]
    outputs, versions = {"source": run_source, "onnx": run_onnx}[job["kind"]](job, images)
    if "explorer" in sys.modules:
        raise RuntimeError("the exported model imports the program that it came from")
    np.savez(folder / "outputs.npz", **{f"output{number}": output for number, output in enumerate(outputs)})
    versions = {"python": sys.version.split()[0], "numpy": np.__version__, **versions}
    (folder / "versions.json").write_text(json.dumps(versions), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
