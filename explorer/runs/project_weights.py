"""The weights that a project starts from: a safetensors file beside the project's JSON, which names it and its hash.

`mine.arch.json` has `mine.weights.safetensors` beside it. Both are written together by `architecture.files`; what of
the weights fits the network is `runtime.weights_matching`'s. Nothing here reads a tensor.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from explorer.architecture import files
from explorer.runs.preprocessing import Normalization, parse_normalization

SECTION = "weights"
"""Where a project's JSON names its weights."""
WEIGHTS_SUFFIX = ".weights.safetensors"


class ProjectWeightsError(ValueError):
    """Weights of a project that are missing, changed or not named rightly; says which, and what helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedWeights:
    """What a project's JSON says of its weights."""

    file: str
    """Name of the file beside the project, without a folder."""
    sha256: str
    """Of the whole file, in hexadecimal."""
    text: str
    """Where they come from and how much they cover: "resnet18.pth: 39 of 41 layers"."""
    num_layers: int
    """Layers of the network that took weights from them when they were applied."""
    normalization: Normalization | None
    """Of the images that they were trained on; None where that is not known."""

    def to_plain(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "text": self.text,
            "layers": self.num_layers,
            "normalization": None if self.normalization is None else self.normalization.written,
        }

    @classmethod
    def from_plain(cls, plain: object) -> Self:
        """Read what `to_plain` wrote.

        Raises:
            ProjectWeightsError: of another form; a name with a folder in it is refused too.
        """
        if not isinstance(plain, Mapping):
            raise ProjectWeightsError(f"weights: expected an object, received {type(plain).__name__}")
        file, sha256, normalization = plain.get("file"), plain.get("sha256"), plain.get("normalization")
        if not isinstance(file, str) or not file or Path(file).name != file or "\\" in file:
            raise ProjectWeightsError(f"weights.file: received {file!r}; use the name of a file beside the project")
        if not isinstance(sha256, str) or len(sha256) != 64:
            raise ProjectWeightsError(f"weights.sha256: received {sha256!r}; use 64 hexadecimal digits")
        num_layers = plain.get("layers")
        try:
            return cls(
                file=file,
                sha256=sha256.lower(),
                text=str(plain.get("text") or file),
                num_layers=num_layers if isinstance(num_layers, int) else 0,
                normalization=parse_normalization(str(normalization)) if normalization else None,
            )
        except ValueError as error:
            raise ProjectWeightsError(f"weights.normalization: {error}") from None


def saved_weights(sections: Mapping[str, Any]) -> SavedWeights | None:
    """What a project's sections say of its weights; None where it starts from fresh ones.

    Raises:
        ProjectWeightsError: they say it in another form.
    """
    plain = sections.get(SECTION)
    return None if plain is None else SavedWeights.from_plain(plain)


def weights_name(project: Path) -> str:
    """What the weights beside a project's file are called."""
    name = project.resolve().name
    return f"{name.removesuffix(files.SUFFIX).removesuffix('.json')}{WEIGHTS_SUFFIX}"


def find_weights(project: Path, saved: SavedWeights) -> Path:
    """The file of a project's weights: under the name that the project says, else under its own, if both were renamed.

    Raises:
        ProjectWeightsError: there is none.
    """
    folder = project.resolve().parent
    for name in dict.fromkeys((saved.file, weights_name(project))):
        if (folder / name).is_file():
            return folder / name
    raise ProjectWeightsError(f"{saved.file} is not beside {project.name}; put it back")


def check_weights(path: Path, saved: SavedWeights) -> None:
    """Make sure that the file is the one that was saved with the project.

    Raises:
        ProjectWeightsError: another one, or it cannot be read.
    """
    try:
        sha256 = files.sha256_of(path)
    except OSError as error:
        raise ProjectWeightsError(f"{path.name} cannot be read: {error.strerror or error}") from None
    if sha256 != saved.sha256:
        raise ProjectWeightsError(f"{path.name} was changed after the project was saved")
