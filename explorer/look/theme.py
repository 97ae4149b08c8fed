"""Colours and type: one light and one dark theme, one accent, one colour a layer category, contrast at least 4.5:1.

The category colours are Okabe and Ito's (2008, "Color universal design"), told apart by colour-blind readers; they fill
stripes and icons. Text never takes them as they are: `category_text` is dark or light enough for its ground.
"""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette

from explorer.layers import Category

GRID = 8
"""Every distance is a multiple or half of this, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """Every colour on screen."""

    is_dark: bool
    window: QColor
    """Behind docks and tool bars."""
    panel: QColor
    """Fields, tables and cards."""
    canvas: QColor
    """Behind the layer graph."""
    card: QColor
    """A node's body."""
    border: QColor
    grid: QColor
    """Lines in tables and plots."""
    text: QColor
    muted: QColor
    """Secondary text; still 4.5:1 on window, panel and card."""
    wire: QColor
    accent: QColor
    """Selection, focus, the one thing to press."""
    accent_text: QColor
    """Text on the accent."""
    error: QColor
    warning: QColor
    good: QColor
    pulse: QColor
    """Lights up what an edit changed."""
    categories: dict[Category, QColor]
    train: QColor
    """The training curve."""
    test: QColor
    """The test curve."""

    def category(self, category: Category) -> QColor:
        """The colour of a kind of layers, for stripes and icons."""
        return self.categories[category]


def _colours(**values: str) -> dict[str, QColor]:
    return {name: QColor(value) for name, value in values.items()}


_HUES = {
    Category.CONVOLUTION: "#0072b2",
    Category.POOLING: "#e69f00",
    Category.ACTIVATION: "#009e73",
    Category.NORMALIZATION: "#cc79a7",
    Category.REGULARIZATION: "#8a6d3b",
    Category.LINEAR: "#d55e00",
    Category.RESHAPE: "#56b4e9",
    Category.MERGE: "#7b61c9",
    Category.OTHER: "#6b7280",
}

LIGHT = Theme(
    is_dark=False,
    categories={**{c: QColor(hue) for c, hue in _HUES.items()}, Category.INPUT: QColor("#5c6470")},
    **_colours(
        window="#f3f4f6",
        panel="#ffffff",
        canvas="#fafbfc",
        card="#ffffff",
        border="#cfd4da",
        grid="#e4e7eb",
        text="#1b1f24",
        muted="#57606a",
        wire="#8b949e",
        accent="#0b66c3",
        accent_text="#ffffff",
        error="#c62828",
        warning="#9a6200",
        good="#1a7f37",
        pulse="#ffd54d",
        train="#0b66c3",
        test="#b34700",
    ),
)

DARK = Theme(
    is_dark=True,
    categories={
        **{c: QColor(hue).lighter(118) for c, hue in _HUES.items()},
        Category.CONVOLUTION: QColor("#3b9ddd"),
        Category.LINEAR: QColor("#f07f2e"),
        Category.MERGE: QColor("#a08bea"),
        Category.REGULARIZATION: QColor("#b8995f"),
        Category.INPUT: QColor("#9aa4b0"),
        Category.OTHER: QColor("#a3acb8"),
    },
    **_colours(
        window="#1b1e23",
        panel="#22262c",
        canvas="#16181c",
        card="#262b32",
        border="#3c434d",
        grid="#2e343c",
        text="#e8eaed",
        muted="#a3acb7",
        wire="#6f7a87",
        accent="#5aa9f5",
        accent_text="#0c1116",
        error="#ff7b72",
        warning="#e3b341",
        good="#56d364",
        pulse="#b58900",
        train="#5aa9f5",
        test="#f0883e",
    ),
)


class ThemeSource(QObject):
    """The theme in force, following the system unless the user chose one.

    Signals:
        changed(Theme): redraw with this one.
    """

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choice = "system"
        self._theme = LIGHT
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(lambda _scheme: self._update())
        self._update()

    @property
    def theme(self) -> Theme:
        """The theme in force."""
        return self._theme

    @property
    def choice(self) -> str:
        """ "system", "light" or "dark"."""
        return self._choice

    def choose(self, choice: str) -> None:
        """Follow the system, or stay light or dark.

        Raises:
            ValueError: none of the three.
        """
        if choice not in {"system", "light", "dark"}:
            raise ValueError(f"theme received {choice!r}; use system, light or dark")
        self._choice = choice
        self._update()

    def _update(self) -> None:
        scheme = QGuiApplication.styleHints().colorScheme()
        dark = self._choice == "dark" or (self._choice == "system" and scheme == Qt.ColorScheme.Dark)
        theme = DARK if dark else LIGHT
        if theme is not self._theme:
            self._theme = theme
            self.changed.emit(theme)


def palette(theme: Theme) -> QPalette:
    """The theme as Qt's widgets take it."""
    result = QPalette()
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.panel,
        QPalette.ColorRole.AlternateBase: theme.window,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.Button: theme.panel,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.error,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.accent_text,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.ToolTipBase: theme.card,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.muted,
        QPalette.ColorRole.Mid: theme.border,
        QPalette.ColorRole.Midlight: theme.grid,
        QPalette.ColorRole.Dark: theme.border.darker(120),
        QPalette.ColorRole.Light: theme.panel.lighter(110),
        QPalette.ColorRole.Shadow: theme.border.darker(160),
        QPalette.ColorRole.Accent: theme.accent,
    }
    for role, colour in roles.items():
        result.setColor(role, colour)
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        faded = QColor(theme.muted)
        faded.setAlpha(150)
        result.setColor(QPalette.ColorGroup.Disabled, role, faded)
    return result


def contrast(a: QColor, b: QColor) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""

    def luminance(colour: QColor) -> float:
        parts = [colour.redF(), colour.greenF(), colour.blueF()]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(a), luminance(b)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _font(points_off: float, weight: QFont.Weight, family: str | None) -> QFont:
    font = QGuiApplication.font() if family is None else QFont(family)
    base = QGuiApplication.font().pointSizeF()
    font.setPointSizeF(max(7.0, (base if base > 0 else 10.0) + points_off))
    font.setWeight(weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def small_font() -> QFont:
    """Captions and units; the smallest of three sizes."""
    return _font(-1.5, QFont.Weight.Normal, None)


def body_font(bold: bool = False) -> QFont:
    """Everything that is read."""
    return _font(0, QFont.Weight.DemiBold if bold else QFont.Weight.Normal, None)


def title_font() -> QFont:
    """The one thing that a panel is about."""
    return _font(3, QFont.Weight.DemiBold, None)


def mono_font() -> QFont:
    """Source and arithmetic, at body size."""
    return _font(-0.5, QFont.Weight.Normal, QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family())
