"""A network's own parameters: depth, width and what else its author left open."""
