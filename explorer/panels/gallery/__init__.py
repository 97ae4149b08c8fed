"""The gallery: every network to start from, searched, filtered, compared in a plot."""
