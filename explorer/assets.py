"""Where the files of `resources/` lie: beside the package in a checkout, inside it in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "_resources", _PACKAGE.parent / "resources")


def resource(*parts: str) -> Path:
    """The path of a file or folder of `resources/`.

    Raises:
        FileNotFoundError: the installation lacks it; the message names the places that were searched.
    """
    for place in _PLACES:
        path = place.joinpath(*parts)
        if path.exists():
            return path
    searched = ", ".join(str(place) for place in _PLACES)
    raise FileNotFoundError(f"resource {'/'.join(parts)} is missing; searched {searched}; reinstall the program")
