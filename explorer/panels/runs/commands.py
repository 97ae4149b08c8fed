"""What can be done with the selected runs: one action each, which says why not where it cannot, and the menu of them.

What an action does is told by whoever makes it work: `panel` for the list, the window for opening and resuming.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from explorer.look.icons import icon
from explorer.look.theme import Theme
from explorer.runs import RunRecord


class RunsCommands(QObject):
    """The actions. Their shortcuts work while the table has the focus."""

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self._view = view
        self.open = self._action(self.tr("Open"), "Return")
        self.resume = self._action(self.tr("Resume"))
        self.follow = self._action(self.tr("Follow"))
        self.restore = self._action(self.tr("Restore"))
        self.trash = self._action(self.tr("Delete"), "Delete")
        self.rename = self._action(self.tr("Rename"))
        self.tag = self._action(self.tr("Edit tags"))
        self.copy = self._action(self.tr("Copy"), QKeySequence.StandardKey.Copy)
        self.csv = self._action(self.tr("Export as CSV…"))
        self.tensorboard = self._action(self.tr("Export for TensorBoard…"))
        self.reveal = self._action(self.tr("Show the run's folder"))
        self.rename.setToolTip(self.tr("Rename (F2)"))

    @property
    def in_the_bar(self) -> list[QAction]:
        """Those that have a button."""
        return [self.open, self.resume, self.restore, self.trash]

    def enable(self, records: tuple[RunRecord, ...], *, in_trash: bool) -> None:
        """Offer what can be done with these selected runs, and say why not of the rest.

        Args:
            records: the selected ones.
            in_trash: whether they lie in the trash.
        """
        one = len(records) == 1
        none = self.tr("Select a run first.")
        single = None if one else self.tr("Select one run for this.") if records else none
        lies_in_trash = self.tr("It is in the trash; restore it first.") if in_trash else None
        held = None
        if any(record.state == "running" for record in records):
            held = self.tr("A run that is active cannot be deleted; stop it first.")
        _offer(self.open, self.tr("Open its network, settings, weights and curves"), single or lies_in_trash)
        why_not = self._why_not_resumed(records[0]) if one else None
        _offer(self.resume, self.tr("Go on from its last checkpoint"), single or lies_in_trash or why_not)
        _offer(self.follow, self.tr("Show it in a tab of its own, also while another program trains it"), single)
        self.trash.setText(self.tr("Delete for good") if in_trash else self.tr("Delete"))
        _offer(self.trash, self.tr("Put into the trash") if not in_trash else "", held if records else none)
        _offer(self.restore, self.tr("Take out of the trash"), None if records else none)
        self.restore.setVisible(in_trash)
        self.open.setVisible(not in_trash)
        self.resume.setVisible(not in_trash)
        for action in (self.rename, self.tag, self.reveal):
            _offer(action, action.text(), single)
        _offer(self.tensorboard, self.tr("Curves as event files"), None if records else none)

    def menu(self, parent: QWidget) -> QMenu:
        """All of them, in a menu that goes when it closes."""
        menu = QMenu(parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        menu.addActions([self.open, self.resume, self.follow, self.restore])
        menu.addSeparator()
        menu.addActions([self.rename, self.tag, self.copy])
        menu.addSeparator()
        menu.addActions([self.csv, self.tensorboard, self.reveal])
        menu.addSeparator()
        menu.addAction(self.trash)
        return menu

    def set_icons(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        for action, name in (
            (self.open, "open"),
            (self.resume, "start"),
            (self.restore, "undo"),
            (self.trash, "remove"),
            (self.copy, "copy"),
            (self.csv, "export"),
        ):
            action.setIcon(icon(name, theme))

    def _why_not_resumed(self, record: RunRecord) -> str | None:
        if record.state == "running":
            return self.tr("It is active.")
        if not record.has_ended_early:
            return self.tr("It is complete; there is nothing left to do.")
        if not record.can_resume:
            return self.tr(
                "It ended before its first checkpoint, so there is nothing to go on from; open it and start it anew."
            )
        return None

    def _action(self, text: str, shortcut: str | QKeySequence.StandardKey = "") -> QAction:
        action = QAction(text, self._view)
        if shortcut:
            action.setShortcut(QKeySequence(shortcut))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._view.addAction(action)
        return action


def connect(action: QAction, do: Callable[[], object]) -> None:
    """Let an action do that; whether it is checked is nobody's business."""
    action.triggered.connect(lambda _checked=False: do())


def _offer(action: QAction, what: str, why_not: str | None) -> None:
    action.setEnabled(why_not is None)
    shortcut = action.shortcut().toString()
    action.setToolTip(why_not or (f"{what} ({shortcut})" if shortcut else what))
