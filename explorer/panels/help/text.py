"""What the help page says, as HTML in the theme's colours, by topic: layer types, kinds of blocks, networks.

A topic is `layer:Conv2d`, `block:residual block`, `network:resnet18`, or `contents`. The explanations themselves are
the layers' and the catalogue's own (`explained`).
"""

import functools
from html import escape
from typing import NamedTuple
from urllib.parse import quote, unquote

from PySide6.QtCore import QCoreApplication

from explorer import zoo
from explorer.layers import HyperParameter, Layer, layer_type, layer_types
from explorer.layers.explained import explanation
from explorer.look.catalogue import by_category, category_name
from explorer.look.theme import Theme
from explorer.look.values import written
from explorer.session import Snapshot
from explorer.zoo.explained import block_explanation, explained_kinds, network_explanation, network_titled

CONTENTS = "contents"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Help", text)


def selected_html(snapshot: Snapshot, node_id: str | None, theme: Theme) -> str:
    """The page of a node: its layer type with the values that it has, its blocks, and the network; or the network's."""
    architecture = snapshot.architecture
    parts = []
    if node_id is not None and node_id in architecture:
        layer = architecture[node_id].layer
        parts.append(_layer(type(layer), layer, node_id))
        for block in sorted(architecture.blocks, key=lambda block: -len(block.path)):
            if node_id.startswith(f"{block.path}."):
                parts.append(_block(block.kind, block.path))
    known = network_titled(architecture.name)
    title = escape(architecture.name)
    parts.append(f"<h2>{title}</h2>" + _muted(_tr("A network of your own; the catalogue has others.")))
    if known is not None:
        parts[-1] = _network(known)
    return _page("".join(parts) + _footer(), theme)


def topic_html(topic: str, theme: Theme) -> str:
    """The page of a topic.

    Raises:
        ValueError: no such topic.
    """
    kind, _, name = topic.partition(":")
    name = unquote(name)
    if topic == CONTENTS:
        return _page(_contents(), theme)
    if kind == "layer":
        return _page(_layer(layer_type(name), None, "") + _footer(), theme)
    if kind == "network":
        return _page(_network(zoo.entry(name).id) + _footer(), theme)
    if kind == "block" and block_explanation(name) is not None:
        return _page(_block(name, "") + _footer(), theme)
    raise ValueError(f"no help on {topic!r}; use layer:…, block:…, network:… or {CONTENTS}")


def type_tooltip(layer_type: type[Layer]) -> str:
    """The explanation of a layer type as a tooltip."""
    about = explanation(layer_type.__name__)
    return (
        f"<p><b>{escape(layer_type.__name__)}</b></p><p>{escape(about.formula)}</p><p>{escape(about.text)}</p>"
        f"<p><i>{escape(about.source)}</i></p>"
    )


def _layer(kind: type[Layer], layer: Layer | None, node_id: str) -> str:
    about = explanation(kind.__name__)
    where = f"{category_name(kind.category)}{f' · {node_id}' if node_id else ''}"
    rows = "".join(_parameter(parameter, layer) for parameter in kind.hyper_parameters)
    table = f"<h3>{_tr('Hyper-parameters')}</h3><table cellspacing='0' cellpadding='3'>{rows}</table>" if rows else ""
    return (
        f"<h2>{escape(kind.__name__)}</h2>{_muted(where)}<p>{escape(kind.summary)}</p>{_formula(about.formula)}"
        f"<p>{escape(about.text)}</p>{table}{_source(about.source)}"
    )


def _parameter(parameter: HyperParameter, layer: Layer | None) -> str:
    given = parameter.default if layer is None else getattr(layer, parameter.name)
    required = layer is None and parameter.required
    value = _tr("must be given") if required else escape(written(parameter.kind, given))
    shown = _tr("now {0}") if layer is not None else "{0}" if required else _tr("first {0}")
    return (
        f"<tr><td><b>{escape(parameter.name)}</b></td><td>{escape(parameter.help)}<br>"
        f"<span class='muted'>{escape(parameter.range_text())}; {shown.format(value)}</span></td></tr>"
    )


def _block(kind: str, path: str) -> str:
    about = block_explanation(kind)
    title = f"<h2>{escape(kind[:1].upper() + kind[1:])}</h2>" + (_muted(path) if path else "")
    if about is None:
        return title + _muted(_tr("A kind of block of your own."))
    links = "" if path else ", ".join(_link(f"network:{e.id}", e.title) for e in _networks_with(kind))
    where = f"<p>{_tr('Found in {0}').format(links)}</p>" if links else ""
    return f"{title}{_formula(about.formula)}<p>{escape(about.text)}</p>{where}{_source(about.source)}"


def _networks_with(kind: str) -> list[zoo.Entry]:
    """The first networks that have such a block: one a family, so that the list stays short."""
    found: dict[str, zoo.Entry] = {}
    for entry in zoo.entries():
        if entry.family not in found and kind in _made_of(entry.id).kinds:
            found[entry.family] = entry
    return list(found.values())


class _Parts(NamedTuple):
    kinds: frozenset[str]
    types: frozenset[str]


@functools.cache
def _made_of(network_id: str) -> _Parts:
    """Of which kinds of blocks and types of layers; kept, since the page is written again at each edit."""
    built = zoo.entry(network_id).build()
    return _Parts(frozenset(block.kind for block in built.blocks), frozenset(n.layer.type_name for n in built))


def _network(network_id: str) -> str:
    entry, about = zoo.entry(network_id), network_explanation(network_id)
    parts = _made_of(network_id)
    kinds = sorted(kind for kind in parts.kinds if block_explanation(kind) is not None)
    blocks = ", ".join(_link(f"block:{kind}", kind) for kind in kinds)
    layers = ", ".join(_link(f"layer:{t.__name__}", t.__name__) for t in layer_types() if t.__name__ in parts.types)
    made_of = (f"<p>{_tr('Blocks')}: {blocks}</p>" if blocks else "") + f"<p>{_tr('Layers')}: {layers}</p>"
    return (
        f"<h2>{escape(entry.title)}</h2>{_muted(f'{entry.family} · {entry.year}')}<p>{escape(about.text)}</p>"
        f"<p>{escape(about.family)}</p>{made_of}{_source(entry.paper)}"
    )


def _contents() -> str:
    parts = [f"<h2>{_tr('Layers, blocks and networks')}</h2>"]
    for category, types in by_category().items():
        names = ", ".join(_link(f"layer:{t.__name__}", t.__name__) for t in types)
        parts.append(f"<h3>{escape(category_name(category))}</h3><p>{names}</p>")
    parts.append(f"<h3>{_tr('Blocks')}</h3><p>{', '.join(_link(f'block:{k}', k) for k in explained_kinds())}</p>")
    families: dict[str, list[str]] = {}
    for entry in zoo.entries():
        families.setdefault(entry.family, []).append(_link(f"network:{entry.id}", entry.title))
    networks = "".join(f"<p><b>{escape(family)}</b>: {', '.join(links)}</p>" for family, links in families.items())
    return "".join(parts) + f"<h3>{_tr('Networks')}</h3>{networks}"


def _link(topic: str, text: str) -> str:
    kind, _, name = topic.partition(":")
    return f'<a href="{kind}:{quote(name)}">{escape(text)}</a>'


def _footer() -> str:
    return f'<p><a href="{CONTENTS}">{_tr("All layers, blocks and networks")}</a></p>'


def _formula(text: str) -> str:
    return f"<p class='formula'>{escape(text)}</p>"


def _source(text: str) -> str:
    return _muted(f"{_tr('Source')}: {text}")


def _muted(text: str) -> str:
    return f"<p class='muted'>{escape(text)}</p>"


def _page(body: str, theme: Theme) -> str:
    return (
        f"<html><head><style>body {{ color: {theme.text.name()}; }} a {{ color: {theme.accent.name()}; }} "
        f".muted {{ color: {theme.muted.name()}; }} "
        f".formula {{ background-color: {theme.window.name()}; font-family: monospace; }} "
        f"h2 {{ margin-bottom: 2px; }} p {{ margin-top: 4px; margin-bottom: 8px; }}</style></head>"
        f"<body>{body}</body></html>"
    )
