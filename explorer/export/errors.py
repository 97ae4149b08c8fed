"""What can go wrong with an export, and is the user's to mend.

ExportError             a target that cannot be written, a kind that is not known, a network with faults
└── ExportCancelled     the user said stop
"""


class ExportError(ValueError):
    """An export that did not happen; existing files are as they were. The message says why and what would help."""


class ExportCancelled(ExportError):  # noqa: N818 - it says what happened
    """The user stopped the export; existing files are as they were."""
