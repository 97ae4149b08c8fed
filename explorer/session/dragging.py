"""What palette and canvas pass to each other by drag and drop."""

LAYER_MIME_TYPE = "application/x-arch-explorer-layer"
"""A layer type's name, in UTF-8."""
