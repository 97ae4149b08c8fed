"""The dialog that keeps the settings of the training form under a name, as a recipe of the user's."""

import shlex

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.runs import RunConfig
from explorer.runs.recipe import Recipe, RecipeError, all_recipes, save_recipe
from explorer.runs.shipped_recipes import SHIPPED


class SaveDialog(QDialog):
    """Asks for a recipe's name and note.

    Signals:
        saved(Recipe): it is kept.
    """

    saved = Signal(object)

    def __init__(
        self, themes: ThemeSource, config: RunConfig, recipe: Recipe | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._config = config
        self._network = None if recipe is None else recipe.network
        self._own = {known.name for known in all_recipes() if known not in SHIPPED}
        self.setWindowTitle(self.tr("Save as a recipe"))
        self.name = QLineEdit(recipe.name if recipe is not None and recipe.name in self._own else "", self)
        self.name.setPlaceholderText(self.tr("how you will choose it"))
        self.note = QLineEdit(recipe.note if recipe is not None and recipe.name in self._own else "", self)
        self.note.setPlaceholderText(self.tr("what it is for, or what it reached"))
        form = QFormLayout()
        form.addRow(self.tr("Name"), self.name)
        form.addRow(self.tr("Note"), self.note)
        self.remark = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        self.remark.setMinimumHeight(4 * GRID)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel, self
        )
        self.buttons.accepted.connect(self._save)
        self.buttons.rejected.connect(self.reject)
        self.name.textChanged.connect(self._judge)
        column = QVBoxLayout(self)
        column.setSpacing(GRID)
        column.addLayout(form)
        column.addWidget(self.remark)
        column.addWidget(self.buttons)
        self.setMinimumWidth(48 * GRID)
        self._judge()

    def _judge(self) -> None:
        name = self.name.text().strip()
        # As a shell takes it, where a name with a space is quoted.
        option = f"--recipe {shlex.quote(name) if name else self.tr('NAME')}"
        text = self.tr("Keeps every setting but device and seed. On the command line: {0}").format(option)
        if name in self._own:
            text = self.tr("Replaces your recipe {0}.").format(name)
        self._remark(text, is_error=False)
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(bool(name))

    def _save(self) -> None:
        try:
            recipe = Recipe(
                name=self.name.text().strip(),
                note=self.note.text().strip(),
                config=self._config,
                network=self._network,
            )
            save_recipe(recipe)
        except RecipeError as error:
            self._remark(str(error), is_error=True)
            return
        self.saved.emit(recipe)
        self.accept()

    def _remark(self, text: str, *, is_error: bool) -> None:
        self.remark.set_role("error" if is_error else "muted")
        self.remark.show_text(text)
