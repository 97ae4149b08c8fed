"""`arch-explorer list`: the catalogue."""

import json
from collections.abc import Sequence

from explorer.cli.parser import PROGRAM, Parser
from explorer.cli.table import table
from explorer.inference import infer
from explorer.layers import format_shape
from explorer.zoo import entries


def run(arguments: Sequence[str]) -> int:
    """Print the catalogue, oldest network first."""
    parser = Parser(prog=f"{PROGRAM} list", description="The catalogue of networks, oldest first.")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    as_json = parser.parse_args(arguments).json
    found = []
    for entry in entries():
        architecture = entry.build()
        totals = infer(architecture).totals
        found.append(
            {
                "id": entry.id,
                "title": entry.title,
                "family": entry.family,
                "year": entry.year,
                "num_parameters": totals.num_parameters,
                "macs": totals.macs,
                "input": list(architecture.input_shape),
                "has_pretrained": entry.has_pretrained,
            }
        )
    if as_json:
        print(json.dumps({"networks": found}, ensure_ascii=False))
        return 0
    rows = [
        [
            str(item["id"]),
            str(item["title"]),
            str(item["year"]),
            f"{item['num_parameters']:,}",
            f"{item['macs']:,}",
            format_shape(tuple(item["input"])),  # type: ignore[arg-type]  # a list of ints, made above
            "yes" if item["has_pretrained"] else "–",
        ]
        for item in found
    ]
    header = ("name", "title", "year", "parameters", "MACs", "input", "pretrained")
    print(table(header, rows, (False, False, True, True, True, True, False)))
    return 0
