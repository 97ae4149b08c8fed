"""The line that chooses a recipe, keeps, imports and deletes the user's own, and says what is not as the recipe has it.

The dialog that asks for a name is `form_save`.
"""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.training.form_editors import Menu
from explorer.panels.training.form_save import SaveDialog
from explorer.runs import RunConfig
from explorer.runs.recipe import (
    Departure,
    Recipe,
    RecipeError,
    all_recipes,
    delete_recipe,
    departures,
    import_recipe,
)
from explorer.runs.shipped_recipes import SHIPPED
from explorer.zoo import entries

_IMPORT = "import"
"""The menu's entry that is no recipe but brings one."""


class RecipeBar(QWidget):
    """Chooser, whose last line imports a file, and three buttons: back to the recipe, save as, delete.

    Signals:
        chosen(RunConfig): the settings are to be these.
        told(str): what was done.
        refused(str): why it was not.
    """

    chosen = Signal(object)
    told = Signal(str)
    refused = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._config = RunConfig()
        self._own_settings = RunConfig()
        self._recipe: Recipe | None = None
        self._network = ""
        self._why_held = ""
        self.menu = _RecipeMenu(self)
        self.menu.opening.connect(self._fill)
        self.menu.activated.connect(self._choose)
        self.label = QLabel(self.tr("Recipe"), self)
        self.label.setFont(body_font())
        self.label.setBuddy(self.menu)
        self.back_button = self._button(self.tr("Back to the recipe"))
        self.back_button.clicked.connect(self._go_back)
        self.save_button = self._button(self.tr("Save as a recipe"))
        self.save_button.clicked.connect(self.open_save_dialog)
        self.delete_button = self._button(self.tr("Delete this recipe"))
        self.delete_button.clicked.connect(self._delete)
        self.words = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        line = QHBoxLayout()
        line.setSpacing(0)
        line.addWidget(self.menu, 1)
        line.addSpacing(GRID // 2)
        for button in (self.back_button, self.save_button, self.delete_button):
            line.addWidget(button)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.label, 0, 0)
        grid.addLayout(line, 0, 1)
        grid.addWidget(self.words, 1, 1)
        grid.setColumnStretch(1, 1)
        self._recolour()
        themes.changed.connect(self._recolour)
        self._fill()

    @property
    def recipe(self) -> Recipe | None:
        """What was chosen last, followed or not; None for settings of the user's own."""
        return self._recipe

    @property
    def is_changed(self) -> bool:
        """Whether the settings differ from the recipe's."""
        return self._recipe is not None and not self._recipe.is_followed_by(self._config)

    def base(self) -> RunConfig:
        """What a field goes back to: the recipe's values, else the defaults."""
        return RunConfig() if self._recipe is None else self._recipe.config

    def set_network(self, name: str) -> None:
        """Offer what is made for the network of that title first."""
        self._network = name

    def show_config(self, config: RunConfig, *, is_edit: bool) -> None:
        """Compare with these settings.

        Args:
            is_edit: the user changed one; else they come from elsewhere, and whatever recipe says just them is shown.
        """
        is_other = config != self._config
        self._config = config
        if not is_edit and is_other and (self._recipe is None or self.is_changed):
            followed = (recipe for recipe in all_recipes() if recipe.is_followed_by(config))
            self._recipe = None if config == RunConfig() else next(followed, None)
        if self._recipe is None:
            self._own_settings = config
        self._show()

    def set_held(self, why: str) -> None:
        """Hold everything and say why in the tooltips; empty to let go."""
        self._why_held = why
        self._show()

    def open_save_dialog(self) -> "SaveDialog":
        """Ask for a name and keep the settings under it."""
        dialog = SaveDialog(self._themes, self._config, self._recipe, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.saved.connect(self._saved)
        dialog.open()
        return dialog

    def import_from(self, path: Path) -> None:
        """Keep the recipe in a file among the user's own, and choose it; `told` or `refused` says what came of it."""
        try:
            recipe = import_recipe(path)
        except RecipeError as error:
            self.refused.emit(str(error))
            return
        self._fill()
        self.told.emit(self.tr("Recipe {0} is imported.").format(recipe.name))
        self._take(recipe)

    def _ask_import(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Import a recipe"), "", self.tr("Recipe (*.json)"))
        if name:
            self.import_from(Path(name))

    def _saved(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._fill()
        self.told.emit(self.tr("Recipe {0} is saved.").format(recipe.name))
        self.chosen.emit(self._config)

    def _delete(self) -> None:
        recipe = self._recipe
        if recipe is None:
            return
        try:
            delete_recipe(recipe.name)
        except RecipeError as error:
            self.refused.emit(str(error))
            return
        self._recipe, self._own_settings = None, self._config
        self._fill()
        self.told.emit(self.tr("Recipe {0} is deleted; its settings are still here to be saved.").format(recipe.name))
        self.chosen.emit(self._config)

    def _go_back(self) -> None:
        if self._recipe is not None:
            self.chosen.emit(self._recipe.applied_to(self._config))

    def _choose(self, index: int) -> None:
        recipe = self.menu.itemData(index)
        if isinstance(recipe, Recipe):
            self._take(recipe)
        elif recipe == _IMPORT:
            self._show()
            self._ask_import()
        else:
            self._recipe = None
            self.chosen.emit(self._own_settings)

    def _take(self, recipe: Recipe) -> None:
        if self._recipe is None or self.is_changed:
            self._own_settings = self._config
        self._recipe = recipe
        self.chosen.emit(recipe.applied_to(self._config))

    # What is shown

    def _fill(self) -> None:
        """Read the user's recipes anew: the command line or another window may have changed them."""
        recipes = all_recipes()
        ours = next((entry.recipes for entry in entries() if entry.title == self._network), ())
        for_this = [recipe for name in ours for recipe in recipes if recipe.name == name]
        own = [recipe for recipe in recipes if recipe not in SHIPPED]
        others = [recipe for recipe in recipes if recipe not in for_this and recipe not in own]
        with QSignalBlocker(self.menu):
            self.menu.clear()
            self.menu.addItem(self.tr("own settings"))
            for part in (for_this, own, others):
                if part:
                    self.menu.insertSeparator(self.menu.count())
                for recipe in part:
                    self.menu.addItem(recipe.name, recipe)
                    tip = "\n".join(text for text in (recipe.note, recipe.summary) if text)
                    self.menu.setItemData(self.menu.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
            self.menu.insertSeparator(self.menu.count())
            self.menu.addItem(self.tr("Import…"), _IMPORT)
            tip = self.tr("Take over a recipe from a .json file, as arch-explorer recipes NAME --json prints it")
            self.menu.setItemData(self.menu.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self._show()

    def _show(self) -> None:
        recipe = self._recipe
        with QSignalBlocker(self.menu):
            for index in range(self.menu.count()):
                data = self.menu.itemData(index)
                if isinstance(data, Recipe):
                    changed = data == recipe and self.is_changed
                    self.menu.setItemText(index, self.tr("{0} · changed").format(data.name) if changed else data.name)
                    if data == recipe:
                        self.menu.setCurrentIndex(index)
            if recipe is None:
                self.menu.setCurrentIndex(0)
        self._say_words()
        is_own = recipe is not None and recipe not in SHIPPED
        self.menu.setEnabled(not self._why_held)
        self.back_button.setEnabled(self.is_changed and not self._why_held)
        self.save_button.setEnabled(not self._why_held)
        self.delete_button.setEnabled(is_own and not self._why_held)
        self.menu.setToolTip(self._why_held or self._menu_tip())
        back = self._changes() if self.is_changed else self.tr("The settings are those of the recipe.")
        if recipe is None:
            back = self.tr("No recipe is chosen.")
        self.back_button.setToolTip(self._why_held or back)
        self.save_button.setToolTip(self._why_held or self.tr("Save these settings as a recipe…"))
        delete = self.tr("Delete the recipe {0}").format(recipe.name) if is_own and recipe is not None else ""
        self.delete_button.setToolTip(self._why_held or delete or self.tr("Only recipes of your own can be deleted."))

    def _menu_tip(self) -> str:
        if self._recipe is None:
            return self.tr("A recipe sets everything below but device and seed.")
        return "\n".join(text for text in (self._recipe.note, self._recipe.summary) if text)

    def _say_words(self) -> None:
        """What is not as the recipe has it; a recipe that is followed says where it comes from."""
        found = departures(self._config, self.base())
        # What means nothing beside the other settings is worth a word only where nothing else differs.
        told = [each for each in found if each.is_used] or found
        words = self.tr(", ").join(self._phrase(each) for each in told)
        if self._recipe is None:
            words = self.tr("Other than the defaults: {0}").format(words) if words else self.tr("The defaults")
        self.words.show_text(words or (self._recipe.note if self._recipe is not None else ""))

    def _phrase(self, each: Departure) -> str:
        """ "learning rate 0.05 instead of 0.02"; "nesterov on"."""
        title = self.tr(each.field.title)
        # Only the first letter: a title may name an abbreviation.
        title = title[:1].lower() + title[1:]
        if each.field.kind == "flag":
            return self.tr("{0} {1}").format(title, each.value)
        return self.tr("{0} {1} instead of {2}").format(title, each.value, each.usual)

    def _changes(self) -> str:
        """`Back to alexnet-28:` and a line for each field that differs."""
        assert self._recipe is not None
        lines = [self.tr("Back to {0}:").format(self._recipe.name)]
        lines += [
            f"{self.tr(each.field.title)}: {each.value} → {each.usual}"
            for each in departures(self._config, self._recipe.config)
        ]
        return "\n".join(lines)

    def _button(self, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setFixedSize(3 * GRID + 2, 3 * GRID + 2)
        button.setIconSize(QSize(2 * GRID, 2 * GRID))
        button.setAccessibleName(name)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _recolour(self) -> None:
        theme = self._themes.theme
        self.back_button.setIcon(icon("undo", theme))
        self.save_button.setIcon(icon("save", theme))
        self.delete_button.setIcon(icon("remove", theme))


class _RecipeMenu(Menu):
    """Reads what it offers each time it opens."""

    opening = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(body_font())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMaxVisibleItems(24)

    def showPopup(self) -> None:
        self.opening.emit()
        super().showPopup()
