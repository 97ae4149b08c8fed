"""The probes between two starts: test images by class and number, files by path, other pictures as PNG files."""

import json
import shutil
from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import QSettings

from explorer.runs import MOST_PROBES, Probe
from explorer.runs.data_sources import DIGITS
from explorer.session.places import settings, state_folder
from explorer.session.probe_set import Awaited, ProbeSet
from explorer.session.probes import ProbeImageError, read_image, to_qimage
from explorer.session.probes_offer import Origin, offer_of_digits

_KEY = "probes/kept"


def keep(probes: ProbeSet, stored: QSettings | None = None) -> None:
    """Note the probes in the settings; what is of no file and no data set is written beside them."""
    if not probes.probes:
        return  # nobody has looked yet, so what was kept before stays
    stored = settings() if stored is None else stored
    folder = _folder()
    shutil.rmtree(folder, ignore_errors=True)
    entries: list[dict[str, Any]] = []
    awaited = {one.place: one for one in probes.awaited}
    for place, probe in enumerate(probes.probes):
        origin = probes.origin(probe.label)
        entry: dict[str, Any] = {
            "kind": origin.kind,
            "label": probe.label,
            "target": probe.target,
            "data": origin.data,
        }
        if origin.kind == "data":
            if awaited:
                continue  # a stand-in for what is awaited
            entry |= {"number": origin.number}
        elif origin.kind == "file":
            entry |= {"path": origin.path}
        else:
            path = folder / f"{place}.png"
            folder.mkdir(parents=True, exist_ok=True)
            if not to_qimage(probe.image).save(str(path)):
                continue
            entry |= {"path": str(path)}
        entries.append(entry)
    for one in awaited.values():
        entry = {"kind": "data", "data": one.data, "target": one.target, "number": one.number}
        entries.insert(min(one.place, len(entries)), entry)
    stored.setValue(_KEY, json.dumps({"place": probes.awaited_place if awaited else probes.place, "probes": entries}))


def restore(probes: ProbeSet, stored: QSettings | None = None) -> list[str]:
    """Take the probes of the last time; returns what could not be found again, one sentence each."""
    stored = settings() if stored is None else stored
    try:
        kept = json.loads(str(stored.value(_KEY, "")))
        entries, place = kept["probes"][:MOST_PROBES], int(kept["place"])
    except (ValueError, TypeError, KeyError):
        return []
    found: list[tuple[Probe, Origin]] = []
    awaited: list[Awaited] = []
    problems: list[str] = []
    for number, entry in enumerate(entries):
        try:
            if entry["kind"] == "data" and entry["data"] != DIGITS:
                awaited.append(Awaited(number, str(entry["data"]), int(entry["target"]), int(entry["number"])))
            else:
                found.append(_restored(entry))
        except ProbeImageError as error:
            problems.append(str(error))
        except (OSError, ValueError, TypeError, KeyError):
            continue  # of another version
    probes.restore(found, place, awaited)
    return problems


def _restored(entry: dict[str, Any]) -> tuple[Probe, Origin]:
    kind = entry["kind"]
    target = None if entry.get("target") is None else int(entry["target"])
    if kind == "data":
        offer = offer_of_digits()
        probe = None if target is None else offer.find(target, int(entry["number"]))
        if probe is None:
            raise ValueError(f"no digit {target}")
        return probe, offer.origin(probe)
    if kind not in {"file", "picture", "drawn"}:
        raise ValueError(f"unknown kind {kind!r}")
    image = read_image(Path(entry["path"])).image
    path = entry["path"] if kind == "file" else ""
    return Probe(label=str(entry["label"]), image=image, target=target), Origin(
        cast("Any", kind), data=str(entry.get("data", "")), path=path
    )


def _folder() -> Path:
    return state_folder() / "probes"
