"""The form of a run's configuration, generated from `CONFIG_FIELDS`: a field that is added there appears here.

The essentials are open; the other groups fold, and their headings, side by side while they are folded, say what is set
in them. The editors are `form_editors`, a group is `form_group`, and the recipes' line is
`form_recipe`.
"""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QVBoxLayout, QWidget

from explorer.look.theme import GRID, ThemeSource
from explorer.panels.augmentation.form import AugmentationForm
from explorer.panels.training.form_editors import NormalizationMenu, make_editor
from explorer.panels.training.form_group import FieldGroup, FieldRow
from explorer.panels.training.form_recipe import RecipeBar
from explorer.runs import (
    CONFIG_FIELDS,
    GROUP_TITLES,
    GROUPS,
    ConfigField,
    ConfigValue,
    Normalization,
    RunConfig,
)
from explorer.runs.augmentation import Augmentation, parse_augmentation
from explorer.runs.config_fields import Group

LIVE_FIELDS = frozenset({"learning_rate"})
"""What may change while a run is active."""
ALL_FIELDS = "recipe"
"""What `edited` says where a recipe set them all."""
_THREE_COLUMNS = 70 * GRID
"""From this width on three of the essentials, whose titles are short, and three folded headings stand side by side."""


class ConfigForm(QWidget):
    """The recipes' line, and one editor for each field of `RunConfig`.

    Signals:
        edited(str): name of the field that the user changed; `ALL_FIELDS` after a recipe.
        refused(str): why what the user typed does not fit; the field keeps its value.
        told(str): what was done with a recipe.
        opened(QWidget): the user unfolded this part.
    """

    edited = Signal(str)
    refused = Signal(str)
    told = Signal(str)
    opened = Signal(object)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._config = RunConfig()
        self._is_active = False
        self._rows: dict[str, FieldRow] = {}
        self.groups: dict[Group, FieldGroup] = {}
        self.recipes = RecipeBar(themes, self)
        self.recipes.chosen.connect(self._take_recipe)
        self.recipes.refused.connect(self.refused)
        self.recipes.told.connect(self.told)
        self.augmentation = AugmentationForm(themes, self)
        self.augmentation.edited.connect(self._take_augmentation)
        self.augmentation.refused.connect(self.refused)
        self._num_columns = 2
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addWidget(self.recipes)
        self._folding = QGridLayout()
        self._folding.setHorizontalSpacing(GRID // 2)
        self._folding.setVerticalSpacing(0)
        for group in GROUPS:
            part = FieldGroup(themes, self.tr(GROUP_TITLES[group]), folds=group != "essentials", parent=self)
            part.folded.connect(self._place_parts)
            part.opened.connect(lambda part=part: self.opened.emit(part))
            self.groups[group] = part
            for field in CONFIG_FIELDS:
                if field.group == group:
                    self._add(field, part)
        column.addWidget(self.groups["essentials"])
        column.addLayout(self._folding)
        column.addStretch(1)
        self._place_parts()
        self._align()
        self._follow(is_edit=False)

    @property
    def config(self) -> RunConfig:
        """What the form says."""
        return self._config

    def editor(self, name: str) -> QWidget:
        """The editor of a field: QSpinBox, QDoubleSpinBox, QComboBox, QCheckBox, QLineEdit, or AugmentationForm."""
        return self.augmentation if name == "augmentation" else self._rows[name].editor.widget

    def row(self, name: str) -> FieldRow:
        """All that belongs to a field; the augmentation has no row."""
        return self._rows[name]

    def set_config(self, config: RunConfig) -> None:
        """Show another configuration; nothing is emitted."""
        self._config = config
        for field in CONFIG_FIELDS:
            self._show(field.name, getattr(config, field.name))
        self._follow(is_edit=False)

    def take_typed(self) -> bool:
        """Take what is being typed, as leaving its editor does; False if it does not fit, which `refused` says.

        A shortcut or a button that takes no focus would otherwise go by what stood there before.
        """
        typed_in = self.focusWidget()
        if typed_in is None or not typed_in.hasFocus():
            return True
        why: list[str] = []
        self.refused.connect(why.append)
        try:
            typed_in.clearFocus()
        finally:
            self.refused.disconnect(why.append)
        typed_in.setFocus()
        return not why

    def set_room(self, width: int) -> None:
        """Lay the form out for so many pixels: its own width follows too late, from what its parts ask for."""
        num_columns = 3 if width >= _THREE_COLUMNS else 2
        if num_columns != self._num_columns:
            self._num_columns = num_columns
            self.groups["essentials"].set_columns(num_columns)
            self._align()
            self._place_parts()

    def set_network(self, name: str) -> None:
        """The network that is open, by its name: recipes made for it are offered first."""
        self.recipes.set_network(name)

    def set_weights_normalization(self, normalization: Normalization | None) -> None:
        """Offer what the weights were trained with that the next run starts from; None where that is not known."""
        menu = self.editor("normalization")
        assert isinstance(menu, NormalizationMenu)
        menu.set_known(normalization)
        self._enable()

    def set_active(self, active: bool) -> None:
        """Hold the fields that a run cannot change."""
        if active != self._is_active:
            self._is_active = active
            self._enable()

    def _add(self, field: ConfigField, part: FieldGroup) -> None:
        if field.name == "augmentation":
            part.add_widget(self.augmentation)
            return
        editor = make_editor(field, lambda value: self._take(field, value), self)
        self._rows[field.name] = part.add(field, self.tr(field.title), editor, lambda: self._reset(field))

    def _place_parts(self) -> None:
        """Folded groups side by side, each open one over the whole width."""
        while self._folding.takeAt(0) is not None:
            pass
        place = 0
        for column in range(max(self._num_columns, self._folding.columnCount())):
            self._folding.setColumnStretch(column, int(column < self._num_columns))
        for part in self.groups.values():
            if part.heading is None:
                continue
            if part.is_open:
                place += -place % self._num_columns
            line, column = divmod(place, self._num_columns)
            span = self._num_columns if part.is_open else 1
            self._folding.addWidget(part, line, column, 1, span)
            place += span

    def _align(self) -> None:
        """Columns in line over all groups that have as many."""
        alike = [part for part in self.groups.values() if part.num_columns == 2]
        for parts in (alike, [part for part in self.groups.values() if part not in alike]):
            widths: dict[int, int] = {}
            for part in parts:
                for column, width in part.label_widths().items():
                    widths[column] = max(widths.get(column, 0), width)
            for part in parts:
                part.set_label_widths(widths)
            if self.groups["essentials"] in parts:
                self.recipes.label.setFixedWidth(widths[0])

    # What the user does

    def _take(self, field: ConfigField, value: ConfigValue) -> None:
        old = getattr(self._config, field.name)
        try:
            checked = field.check(value.strip() if isinstance(value, str) else value)
        except ValueError as error:
            self._show(field.name, old)
            self.refused.emit(str(error))
            return
        if checked == old:
            self._show(field.name, old)  # in its one spelling
            return
        self._config = RunConfig.from_plain({**self._config.to_plain(), field.name: checked})
        self._show(field.name, checked)
        self._follow(is_edit=True)
        self.edited.emit(field.name)

    def _take_augmentation(self, augmentation: Augmentation) -> None:
        self._config = RunConfig.from_plain({**self._config.to_plain(), "augmentation": augmentation.written})
        self._follow(is_edit=True)
        self.edited.emit("augmentation")

    def _take_recipe(self, config: RunConfig) -> None:
        changes = config != self._config
        self._config = config
        for field in CONFIG_FIELDS:
            self._show(field.name, getattr(config, field.name))
        self._follow(is_edit=True)
        if changes:
            self.edited.emit(ALL_FIELDS)

    def _reset(self, field: ConfigField) -> None:
        self._take(field, getattr(self.recipes.base(), field.name))

    # What is shown

    def _show(self, name: str, value: ConfigValue) -> None:
        if name == "augmentation":
            self.augmentation.set_augmentation(parse_augmentation(str(value)))
        else:
            self._rows[name].editor.show(value)

    def _follow(self, *, is_edit: bool) -> None:
        self.recipes.show_config(self._config, is_edit=is_edit)
        self._enable()
        for group, part in self.groups.items():
            if part.heading is not None:
                part.heading.show_summary(self._summary(group))

    def _enable(self) -> None:
        held = self.tr("Fixed while a run is active; stop it to change this.") if self._is_active else ""
        self.recipes.set_held(held)
        self.augmentation.set_held(held)
        base, recipe = self.recipes.base(), self.recipes.recipe
        whose = self.tr("the default") if recipe is None else recipe.name
        for name, row in self._rows.items():
            field, is_live = row.field, name in LIVE_FIELDS
            unused = field.why_unused(self._config)
            why = unused
            if self._is_active:
                why = self.tr("Changes the active run from its next step on.") if is_live else held
            fits = self.tr("Takes {what}.").format(what=field.what_fits) if field.kind != "flag" else ""
            menu = row.editor.widget
            is_long = isinstance(menu, NormalizationMenu) or "+" in str(getattr(self._config, name))
            chosen = menu.currentText() if isinstance(menu, QComboBox) and is_long else ""
            tip = "\n".join(part for part in (chosen, self.tr(field.help), fits, why) if part)
            row.enable(is_live if self._is_active else not unused, tip)
            value = getattr(base, name)
            back = self.tr("Back to {value}, {whose}").format(value=field.written(value), whose=whose)
            is_other = getattr(self._config, name) != value
            row.offer_reset(is_other and not self._is_active and not unused, back)

    def _summary(self, group: Group) -> str:
        """What of the group is not the default and means something: `warm-up 1 · gamma 0.5`."""
        default, parts = RunConfig(), []
        for field in CONFIG_FIELDS:
            value = getattr(self._config, field.name)
            if field.group != group or value == getattr(default, field.name) or field.why_unused(self._config):
                continue
            title = self.tr(field.title).lower()
            if field.name == "augmentation":
                parts.append(", ".join(t.title.lower() for t in parse_augmentation(str(value)).transforms))
            elif field.kind == "flag":
                parts.append(title if value else self.tr("no {0}").format(title))
            else:
                parts.append(f"{title} {field.written(value)}")
        return " · ".join(parts)
