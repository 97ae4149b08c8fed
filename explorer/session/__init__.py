"""Where values become Qt signals: document, selection, run and probe. QtCore and QtGui only, no torch."""

from explorer.session.document import Document, Snapshot
from explorer.session.selection import Selection

__all__ = ["Document", "Selection", "Snapshot"]
