"""The layer types as menus and lists offer them: the categories' names, the most used ones, and search."""

from PySide6.QtCore import QCoreApplication

from explorer.layers import Category, Layer, layer_types

_MOST_USED = (
    "Conv2d",
    "MaxPool2d",
    "AdaptiveAvgPool2d",
    "ReLU",
    "BatchNorm2d",
    "Dropout",
    "Flatten",
    "Linear",
    "Add",
    "Concat",
)
"""In the order of a network's stages."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Catalogue", text)


def category_name(category: Category) -> str:
    """A category in words."""
    return {
        Category.INPUT: _tr("Input"),
        Category.CONVOLUTION: _tr("Convolution"),
        Category.POOLING: _tr("Pooling"),
        Category.ACTIVATION: _tr("Activation"),
        Category.NORMALIZATION: _tr("Normalisation"),
        Category.REGULARIZATION: _tr("Regularisation"),
        Category.LINEAR: _tr("Fully connected"),
        Category.RESHAPE: _tr("Reshaping"),
        Category.MERGE: _tr("Joining branches"),
        Category.OTHER: _tr("Other"),
    }[category]


def by_category() -> dict[Category, tuple[type[Layer], ...]]:
    """All layer types that can be added, by category in the order of a network's stages, in the layers' own order."""
    groups = {category: tuple(t for t in layer_types() if t.category is category) for category in Category}
    return {category: types for category, types in groups.items() if types and category is not Category.INPUT}


def most_used() -> tuple[type[Layer], ...]:
    """The few types that most networks are made of."""
    known = {t.__name__: t for t in layer_types()}
    return tuple(known[name] for name in _MOST_USED if name in known)


def found(text: str) -> tuple[type[Layer], ...]:
    """The types that all words of a search fit, best first: by name, then keyword, then what the summary says.

    >>> [t.__name__ for t in found("relu")][0]
    'ReLU'
    """
    words = text.casefold().split()
    ranked = []
    for place, layer_type in enumerate(t for types in by_category().values() for t in types):
        ranks = [_rank(word, layer_type) for word in words]
        if None not in ranks:
            ranked.append((max((r for r in ranks if r is not None), default=0), place, layer_type))
    return tuple(layer_type for _rank_, _place, layer_type in sorted(ranked, key=lambda entry: entry[:2]))


def _rank(word: str, layer_type: type[Layer]) -> int | None:
    """How well a word fits a type, 0 best; None where it does not."""
    name = layer_type.__name__.casefold()
    keywords = layer_type.keywords.casefold().split()
    about = f"{layer_type.summary} {category_name(layer_type.category)} {layer_type.category}".casefold()
    fits = (
        word in {name, name.removesuffix("2d"), name.removesuffix("1d")},
        name.startswith(word),
        word in keywords,
        word in name,
        any(keyword.startswith(word) for keyword in keywords),
        any(part.startswith(word) for part in about.replace("-", " ").split()),
        word in about,
    )
    return next((rank for rank, fit in enumerate(fits) if fit), None)
