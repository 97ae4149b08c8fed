"""How the window's own parts look in a theme: separators, docks, toolbar, tooltips."""

from explorer.look.theme import Theme


def style_sheet(shown: Theme) -> str:
    """A Qt style sheet for the main window, which its children share."""
    return f"""
        QMainWindow::separator {{ background: {shown.border.name()}; width: 1px; height: 1px; }}
        QMainWindow::separator:hover {{ background: {shown.accent.name()}; }}
        QDockWidget {{ titlebar-close-icon: none; }}
        QDockWidget::title {{ background: {shown.window.name()}; padding: 6px 8px; text-align: left; }}
        QToolBar {{ border: none; border-bottom: 1px solid {shown.border.name()}; padding: 4px 8px; spacing: 4px; }}
        QToolTip {{ border: 1px solid {shown.border.name()}; padding: 4px; color: {shown.text.name()};
                    background: {shown.card.name()}; }}
        QLabel#muted {{ color: {shown.muted.name()}; }}
    """
