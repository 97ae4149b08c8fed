"""The docks around the canvas: inspector, table, issues, source, gallery, training and feature maps."""
