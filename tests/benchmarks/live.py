"""Training with every view on, against the same loop without a window; and how late a 60 Hz timer is meanwhile.

Both sides run in fresh processes, alternating. The window is a real one where there is a display, else offscreen:

    python -m tests.benchmarks.live [NETWORK] [EPOCHS] [ROUNDS]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile

_HEADLESS = """
import json, sys
from explorer.runtime import threads
threads.prepare()
from explorer import zoo
from explorer.runs import RunConfig, RunControl
from explorer.training.loop import train
threads.choose_threads()
network, epochs = sys.argv[1], int(sys.argv[2])
config = RunConfig(epochs=epochs, device="cpu")
result = train(zoo.entry(network).build(), config, lambda event: None, RunControl(), run_id="benchmark")
print(json.dumps({"images_per_second": result.images_per_second, "test_accuracy": result.test_accuracy}))
"""

_WINDOW = """
import json, sys, time
from PySide6.QtCore import QTimer, Qt
from explorer.app import startup
application = startup.make_application()
from explorer.app.window import MainWindow
from explorer.runs import FeatureMapsCaptured, RunConfig, RunFinished
network, epochs = sys.argv[1], int(sys.argv[2])
window = MainWindow()
window.resize(1600, 1000)
window.show()
window.open_target(network)
window.training.set_config(RunConfig(epochs=epochs, device="cpu"))
# Every view at once: curves beside feature maps beside the table, maps on every node of the canvas.
window.splitDockWidget(window.docks["training"], window.docks["feature-maps"], Qt.Orientation.Horizontal)
window.splitDockWidget(window.docks["feature-maps"], window.docks["table"], Qt.Orientation.Horizontal)
window.selection.set([window.document.architecture.nodes[1].id])
window.preload()
late_ms, captures, results = [], [], []
due = None
def tick():
    global due
    now = time.perf_counter()
    if due is not None and window.run_session.state == "running":
        late_ms.append((now - due) * 1e3)
    due = now + 1 / 60
    timer.start(max(0, round((due - time.perf_counter()) * 1e3)))
timer = QTimer()
timer.setTimerType(Qt.TimerType.PreciseTimer)
timer.setSingleShot(True)
timer.timeout.connect(tick)
def arrived(events):
    for event in events:
        if isinstance(event, FeatureMapsCaptured):
            captures.append(len(event.atlases))
        if isinstance(event, RunFinished):
            results.append(event)
            QTimer.singleShot(0, application.quit)
window.run_session.events_arrived.connect(arrived)
def begin():
    tick()
    window.training.start_action.trigger()
QTimer.singleShot(4000, begin)  # torch has loaded and the first maps are drawn
QTimer.singleShot(600_000, application.quit)
application.exec()
window.document.undo_stack.setClean()
window.close()
(result,) = results
late_ms.sort()
quantile = lambda q: late_ms[min(len(late_ms) - 1, int(q * len(late_ms)))]
print(json.dumps({
    "images_per_second": result.images_per_second, "test_accuracy": result.test_accuracy,
    "captures": len(captures), "maps": sum(captures),
    "late_p50_ms": quantile(0.5), "late_p99_ms": quantile(0.99), "late_max_ms": late_ms[-1], "ticks": len(late_ms),
}))
"""


def main() -> None:
    """Measure in alternation and print each round, then the medians."""
    network, epochs, rounds = (*sys.argv[1:], *("lenet5", "30", "3")[len(sys.argv) - 1 :])
    ratios = []
    for _ in range(int(rounds)):
        alone = _measured(_HEADLESS, network, epochs)
        window = _measured(_WINDOW, network, epochs)
        assert alone["test_accuracy"] == window["test_accuracy"], "looking changed the run"
        ratios.append(window["images_per_second"] / alone["images_per_second"])
        print(
            f"{network}: {alone['images_per_second']:,.0f} images/s alone, "
            f"{window['images_per_second']:,.0f} with every view ({ratios[-1]:.2f}); "
            f"{window['captures']:.0f} captures, {window['maps']:.0f} maps; 60 Hz timer late "
            f"p50 {window['late_p50_ms']:.1f} ms, p99 {window['late_p99_ms']:.1f}, max {window['late_max_ms']:.0f} ms"
        )
    print(f"median ratio with every view on: {statistics.median(ratios):.2f}")


def _measured(code: str, network: str, epochs: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "ARCH_EXPLORER_HOME": home}
        if not environment.get("DISPLAY"):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        done = subprocess.run(
            [sys.executable, "-c", code, network, epochs],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=environment,
        )
    measured: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return measured


if __name__ == "__main__":
    main()
