"""The rows of the ideas panel: an idea with its forms, a scaling with its boxes; each evaluated piece by piece."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from explorer.architecture import Architecture, EditRefused
from explorer.inference.ideas import Amount, Idea, Presence, Scaling
from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.look.undo import leave_undo_to_window
from explorer.panels.flow import flow_widget
from explorer.panels.ideas.button import Offer, OfferButton
from explorer.session import Document

Task = Callable[[Architecture], None]
"""A piece of the work on a network, short enough to come between two frames."""

_LINE = 33 * GRID
"""What a panel of the usual width has room for."""
_PRESETS: Mapping[str, tuple[float, ...]] = {"width": (0.5, 0.75, 1.5, 2)}
"""Factors that get a button of their own."""


class _Row(QWidget):
    """A title, and under it what can be chosen.

    Signals:
        pointed(OfferButton | None): what pointer or keyboard came to.
    """

    pointed = Signal(object)

    def __init__(self, document: Document, themes: ThemeSource, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._themes = themes
        self.buttons: list[OfferButton] = []
        label = ElidedLabel(themes, font=body_font(), parent=self)
        label.show_text(title)
        self._title_width = label.fontMetrics().horizontalAdvance(title)
        self._line = QHBoxLayout()
        self._line.setSpacing(GRID // 2)
        self._line.addWidget(label, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID // 2)
        self._column.addLayout(self._line)

    def _add_button(self, offer: Offer) -> OfferButton:
        button = OfferButton(self._document, self._themes, offer, self)
        button.pointed.connect(self.pointed)
        button.moved.connect(partial(self._move, len(self.buttons)))
        self.buttons.append(button)
        return button

    def _lay_out(self, widgets: Sequence[QWidget]) -> None:
        """Put widgets behind the title where there is room, else on lines of their own."""
        width = self._title_width + sum(widget.sizeHint().width() + GRID // 2 for widget in widgets)
        if width <= _LINE:
            for widget in widgets:
                self._line.addWidget(widget)
            return
        choices, flow = flow_widget(self)
        for widget in widgets:
            flow.addWidget(widget)
        self._column.addWidget(choices)

    def _move(self, place: int, step: int) -> None:
        beyond = self.buttons[place + 1 :] if step > 0 else self.buttons[:place][::-1]
        neighbour = next((button for button in beyond if button.isEnabled()), None)
        if neighbour is not None:
            neighbour.setFocus(Qt.FocusReason.TabFocusReason)


class IdeaRow(_Row):
    """One idea; its forms are buttons, one of which is on."""

    def __init__(
        self,
        document: Document,
        themes: ThemeSource,
        idea: Idea,
        earlier: Callable[[], Sequence[Architecture]],
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            earlier: looks up the network's versions before the one now.
        """
        super().__init__(document, themes, idea.title, parent)
        self.idea = idea
        self._earlier = earlier
        for form in idea.forms:
            offer = Offer(form.title, form.text, form.explanation, form.paper, partial(self._switched, form.id))
            self._add_button(offer).setAccessibleName(f"{idea.title}: {form.title}")
        self._lay_out(self.buttons)

    def button(self, form_id: str) -> OfferButton:
        """The button of a form."""
        return self.buttons[[form.id for form in self.idea.forms].index(form_id)]

    def tasks(self) -> list[Task]:
        """What has to be worked out for a network, a form at a time."""
        return [
            partial(_evaluate, button, partial(_presence, self.idea, form.id))
            for button, form in zip(self.buttons, self.idea.forms, strict=True)
        ]

    def _switched(self, form_id: str, architecture: Architecture) -> Architecture:
        return self.idea.apply(architecture, form_id, self._earlier())


class ScalingRow(_Row):
    """One scaling: a box for each amount, a button that takes them, and buttons for amounts that are often wanted."""

    def __init__(
        self, document: Document, themes: ThemeSource, scaling: Scaling, parent: QWidget | None = None
    ) -> None:
        super().__init__(document, themes, scaling.title, parent)
        self.scaling = scaling
        self._is_previewing = False
        self.boxes = {amount.name: self._box(amount) for amount in scaling.amounts}
        for factor in _PRESETS.get(scaling.id, ()):
            self._add_button(self._offer(f"×{factor:g}", {scaling.amounts[0].name: factor}))
        self.set_button = self._add_button(self._offer(self.tr("Set"), {}))
        row = self._line
        if len(self.boxes) > 1:
            row = QHBoxLayout()
            row.setSpacing(GRID // 2)
            self._column.addLayout(row)
        for place, box in enumerate(self.boxes.values()):
            if place:
                times = RoleLabel(themes, role="muted", font=small_font(), parent=self)
                times.setText("×")
                row.addWidget(times)
            row.addWidget(box, 0 if row is self._line else 1)
        row.addWidget(self.set_button)
        if self.presets:
            choices, flow = flow_widget(self)
            for button in self.presets:
                flow.addWidget(button)
            self._column.addWidget(choices)

    @property
    def presets(self) -> list[OfferButton]:
        """The buttons for amounts that are often wanted."""
        return self.buttons[:-1]

    def tasks(self) -> list[Task]:
        """What has to be worked out for a network, a button at a time."""
        return [*(partial(_evaluate, button, _never) for button in self.presets), self._show_current]

    def want(self, values: Mapping[str, float]) -> None:
        """Offer these amounts at the button, and preview them."""
        self.set_button.show_offer(self._offer(self.tr("Set"), values))
        try:
            result = self.set_button.offer.edit(self._document.architecture)
        except EditRefused as refused:
            self.set_button.show_state("off", str(refused))
            self._end_preview()
        else:
            self.set_button.show_state("off", "")
            self._is_previewing = True
            self._document.preview(lambda _: result)
        self.pointed.emit(self.set_button)

    def _offer(self, text: str, values: Mapping[str, float]) -> Offer:
        scaling = self.scaling
        whole = {amount.name: amount.is_whole for amount in scaling.amounts}
        written = " × ".join(
            numbers.exact_count(value) if whole[name] else f"×{value:g}" for name, value in values.items()
        )
        step = f"{scaling.text}: {written}" if written else scaling.text
        return Offer(text, step, scaling.explanation, scaling.paper, scaling.edit(**values))

    def _show_current(self, architecture: Architecture) -> None:
        self._is_previewing = False  # the edit that brought this network ended it
        current = self.scaling.current(architecture)
        refusal = ""
        if not current:
            try:
                self.scaling.apply(architecture, **{amount.name: amount.minimum for amount in self.scaling.amounts})
            except EditRefused as refused:
                refusal = str(refused)
        for name, box in self.boxes.items():
            box.setEnabled(not refusal)
            box.setToolTip(refusal or box.accessibleName())
            with QSignalBlocker(box):
                if name in current:
                    _set_value(box, current[name])
        self.set_button.show_offer(self._offer(self.tr("Set"), dict(current)))
        self.set_button.show_state("off", refusal)

    def _value_changed(self) -> None:
        self.want({name: box.value() for name, box in self.boxes.items()})

    def _end_preview(self) -> None:
        if self._is_previewing:
            self._is_previewing = False
            self._document.preview(None)

    def _take(self) -> None:
        self._is_previewing = False
        self.set_button.click()

    def _box(self, amount: Amount) -> QSpinBox | QDoubleSpinBox:
        box: QSpinBox | QDoubleSpinBox
        if amount.is_whole:
            box = QSpinBox(self)
            box.setRange(int(amount.minimum), int(amount.maximum))
        else:
            box = QDoubleSpinBox(self)
            box.setRange(amount.minimum, amount.maximum)
            box.setSingleStep(0.05)
            box.setPrefix("×")
        box.setFont(small_font())
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        box.setMinimumWidth(6 * GRID)
        box.setAccessibleName(f"{self.scaling.title}: {amount.title}")
        box.setToolTip(box.accessibleName())
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        leave_undo_to_window(box)
        box.installEventFilter(self)
        box.valueChanged.connect(self._value_changed)
        box.lineEdit().returnPressed.connect(self._take)
        return box

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A box that is left ends its preview; the wheel scrolls the panel over a box that is not in use."""
        if event.type() == QEvent.Type.FocusOut:
            self._end_preview()
            self.pointed.emit(None)
        elif event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def _evaluate(button: OfferButton, presence_of: Callable[[Architecture], Presence], architecture: Architecture) -> None:
    button.evaluate(architecture, presence_of)


def _presence(idea: Idea, form_id: str, architecture: Architecture) -> Presence:
    return idea.presence(architecture, form_id)


def _set_value(box: QSpinBox | QDoubleSpinBox, value: float) -> None:
    if isinstance(box, QSpinBox):
        box.setValue(int(value))
    else:
        box.setValue(value)


def _never(_architecture: Architecture) -> Presence:
    return "off"
