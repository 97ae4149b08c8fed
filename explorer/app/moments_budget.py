"""How much disk the moments of one run may take: a menu, remembered, and handed on to runs by the environment.

The environment reaches a run wherever it trains, also in processes of its own. Who has set the variable by hand has
chosen, and the menu only shows it: a value that is not the remembered one is such a person's.
"""

import os

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from explorer.look import numbers
from explorer.runs.moments import BUDGET_VARIABLE, DEFAULT_MEGABYTES, budget_bytes
from explorer.session.places import settings

CHOICES_MB = (0, 64, 256, 1024, 4096)
_KEY = "moments/megabytes"


def make_budget_menu(parent: QMenu) -> QMenu:
    """The menu, with what is in force marked; what was chosen before holds for the next runs."""
    stored, said = settings().value(_KEY), os.environ.get(BUDGET_VARIABLE)
    is_given = said is not None and (stored is None or said != str(stored))
    if not is_given and stored is not None:
        os.environ[BUDGET_VARIABLE] = str(stored)
    menu = QMenu(parent.tr("Disk for the next run's moments"), parent)
    group = QActionGroup(menu)
    in_force = budget_bytes()
    for megabytes in CHOICES_MB:
        text = parent.tr("{0} at most").format(numbers.short_bytes(megabytes * 1024**2))
        if megabytes == 0:
            text = parent.tr("None: no looking back")
        elif megabytes == DEFAULT_MEGABYTES:
            text = parent.tr("{0}, as usual").format(text)
        action = menu.addAction(text)
        action.setCheckable(True)
        action.setData(megabytes)
        action.setChecked(in_force == megabytes * 1024**2)
        action.setEnabled(not is_given)
        group.addAction(action)
    if is_given:
        menu.setToolTipsVisible(True)
        for action in group.actions():
            action.setToolTip(parent.tr("{0} in the environment says so").format(BUDGET_VARIABLE))
    group.triggered.connect(lambda action: _choose(int(action.data())))
    return menu


def _choose(megabytes: int) -> None:
    settings().setValue(_KEY, megabytes)
    os.environ[BUDGET_VARIABLE] = str(megabytes)
