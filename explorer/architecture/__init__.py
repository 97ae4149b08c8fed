"""The network as a frozen value, the pure edits that make a new one from an old one, and its files."""

from explorer.architecture.architecture import Architecture, ArchitectureError, Block, Node, PackedArchitecture
from explorer.architecture.edits import Edit, EditRefused
from explorer.architecture.files import ArchitectureFileError, Project

__all__ = [
    "Architecture",
    "ArchitectureError",
    "ArchitectureFileError",
    "Block",
    "Edit",
    "EditRefused",
    "Node",
    "PackedArchitecture",
    "Project",
]
