"""The Layer tab: a layer's window walks over its input, with the real numbers."""
