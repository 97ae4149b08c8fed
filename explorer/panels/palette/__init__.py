"""Layers and blocks to add."""
