"""The catalogue of networks, one file a family. A new family is one file of builders, imported here."""

from explorer.zoo import lenet
from explorer.zoo.catalogue import Entry, entries, entry

__all__ = ["Entry", "entries", "entry", "lenet"]
