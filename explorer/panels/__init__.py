"""The docks around the canvas. A dock of several files is a package of its own."""
