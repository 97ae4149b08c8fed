"""`summary ID --json` for every network of the catalogue, each in a fresh process: the whole of it, and the answer.

The answer is timed from the call of `main`, behind the start of Python and the import of it. The peer is `import torch`
alone, with which a summary of a module would begin:

    python -m tests.benchmarks.summaries [ID ...]
"""

import statistics
import subprocess
import sys
import time

from explorer import zoo

_ALLOWED_S = 1.0
_NUM_SLOWEST = 5
_CODE = """
import io, sys, time
from contextlib import redirect_stdout
from explorer.cli import main
start = time.perf_counter()
with redirect_stdout(io.StringIO()) as printed:
    code = main(["summary", {id!r}, "--json"])
answered = time.perf_counter() - start
assert code == 0 and printed.getvalue().startswith("{{")
assert not {{"torch", "numpy", "PySide6"}} & sys.modules.keys()
print(answered)
"""


def main() -> None:
    """Measure and print the slowest, and what is usual."""
    ids = sys.argv[1:] or [entry.id for entry in zoo.entries()]
    whole_s, answers_s = {}, {}
    for network_id in ids:
        whole_s[network_id], printed = _run(_CODE.format(id=network_id))
        answers_s[network_id] = float(printed)
    torch_s, _ = _run("import torch")
    print(f"{'network':24}{'answer':>11}{'whole process':>16}")
    for network_id in sorted(ids, key=lambda one: -answers_s[one])[:_NUM_SLOWEST]:
        print(f"{network_id:24}{answers_s[network_id] * 1e3:8.0f} ms{whole_s[network_id] * 1e3:13.0f} ms")
    usual_s = statistics.median(whole_s.values())
    print(
        f"{sum(answer < _ALLOWED_S for answer in answers_s.values())} of {len(ids)} answer within {_ALLOWED_S:.0f} s; "
        f"median of a whole process {usual_s * 1e3:.0f} ms; `import torch` {torch_s * 1e3:.0f} ms, "
        f"{torch_s / usual_s:.1f} times as long"
    )


def _run(code: str) -> tuple[float, str]:
    """Seconds of a process that runs the code, and what it printed."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    return time.perf_counter() - start, done.stdout


if __name__ == "__main__":
    main()
