"""The window: puts document, canvas, panels, training and export together. Everything it composes lives below it."""


def main(target: str | None = None) -> int:
    """Open the window and run until it closes; returns the exit status.

    Args:
        target: a project file or a network of the catalogue to open; None shows the gallery.
    """
    from explorer.app.startup import run

    return run(target)
