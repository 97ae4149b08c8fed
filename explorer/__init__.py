"""Architecture Explorer: pick, edit, train and export convolutional networks, and see every number move."""

__version__ = "0.1.0"
