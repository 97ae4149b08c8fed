"""The run configuration as the rest of the window knows it: what follows from it, and what changes it from elsewhere.

The form that edits it is `panels.training`'s.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from explorer.runs import Event, RunConfig, RunStarted
from explorer.session import Snapshot
from explorer.session.data_session import DataView

if TYPE_CHECKING:
    from explorer.app.window import MainWindow


class ConfigLinks(QObject):
    """Connects the window's parts to it, and shows them what it is now."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        window.document.changed.connect(self._follow_document)
        window.training.config_changed.connect(self._follow_config)
        window.toolbar.batch_editor.chosen.connect(self._choose_batch)
        window.inspector.batch_chosen.connect(self._choose_batch)
        window.data_page.chosen.connect(self._choose_data)
        window.run_session.events_arrived.connect(self._follow_run)
        window.data_session.view_changed.connect(lambda _view: window.probe_source.look())
        window.probe_session.captured.connect(lambda *_: window.probe_source.look())
        window.data_session.view_changed.connect(self._follow_view)
        self._follow_config(window.training.config())

    def _follow_document(self, old: Snapshot | None, new: Snapshot) -> None:
        self._want_probes()

    def _follow_config(self, config: RunConfig) -> None:
        window = self._window
        window.toolbar.batch_editor.show_value(config.batch_size)
        window.estimates.set_config(config)
        window.devices.set_name(config.device)
        window.looking.set_config(config)
        window.data_page.set_config(config)
        self._want_probes()

    def _want_probes(self) -> None:
        window = self._window
        if window.document.is_open:
            window.probe_source.want(window.training.config().data, window.document.architecture.input_shape)

    def _follow_run(self, events: list[Event]) -> None:
        # A run that has begun has read its data set.
        if any(isinstance(event, RunStarted) for event in events):
            self._window.probe_source.look()

    def _follow_view(self, view: DataView | None) -> None:
        if view is not None:
            self._window.training.classes.learn(view.facts)

    def _choose_batch(self, batch_size: int) -> None:
        self._choose(batch_size=batch_size)

    def _choose_data(self, name: str) -> None:
        self._choose(data=name)

    def _choose(self, **changes: int | str) -> None:
        training = self._window.training
        training.set_config(RunConfig.from_plain({**training.config().to_plain(), **changes}))
