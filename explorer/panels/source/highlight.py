"""Colours for Python source, from Python's own tokenizer. The panel is `panel`."""

import builtins
import io
import keyword
import tokenize
from typing import NamedTuple

from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextDocument

from explorer.layers import Category
from explorer.look.theme import Theme

_BUILTINS = frozenset(dir(builtins))


class Span(NamedTuple):
    """Part of a line, in characters."""

    start: int
    length: int
    kind: str
    """ "keyword", "string", "number", "comment", "definition" or "builtin"."""


def spans(line: str) -> list[Span]:
    """What is to be coloured in one line. The exporter writes no string over several lines, so a line stands alone."""
    found = []
    previous = ""
    text = line.lstrip()
    indent = len(line) - len(text)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            kind = _kind(token, previous)
            previous = token.string
            if kind is not None:
                found.append(Span(indent + token.start[1], len(token.string), kind))
    except (tokenize.TokenError, SyntaxError):
        pass  # a bracket that another line closes: all tokens have come by then
    return found


def _kind(token: tokenize.TokenInfo, previous: str) -> str | None:
    if token.type == tokenize.COMMENT:
        return "comment"
    if token.type == tokenize.STRING or tokenize.tok_name[token.type].startswith("FSTRING"):
        return "string"
    if token.type == tokenize.NUMBER:
        return "number"
    if token.type != tokenize.NAME:
        return None
    if previous in {"class", "def"}:
        return "definition"
    if keyword.iskeyword(token.string):
        return "keyword"
    if token.string == "self" or (previous != "." and token.string in _BUILTINS):
        return "builtin"
    return None


class PythonHighlighter(QSyntaxHighlighter):
    """Colours the lines that change."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        self._formats = _formats(theme)

    def set_theme(self, theme: Theme) -> None:
        """Colour again."""
        self._formats = _formats(theme)
        self.rehighlight()

    def highlightBlock(self, text: str) -> None:
        for span in spans(text):
            self.setFormat(span.start, span.length, self._formats[span.kind])


def _formats(theme: Theme) -> dict[str, QTextCharFormat]:
    # The categories' hues at a contrast that text needs: towards black on light ground, towards white on dark.
    def readable(category: Category) -> QColor:
        colour = theme.category(category)
        return colour.lighter(125) if theme.is_dark else colour.darker(150)

    colours = {
        "keyword": readable(Category.MERGE),
        "string": readable(Category.ACTIVATION),
        "number": readable(Category.LINEAR),
        "comment": theme.muted,
        "definition": theme.accent,
        "builtin": theme.muted,
    }
    formats = {}
    for kind, colour in colours.items():
        formats[kind] = QTextCharFormat()
        formats[kind].setForeground(colour)
        formats[kind].setFontItalic(kind == "comment")
    return formats
