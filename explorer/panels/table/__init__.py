"""The Table tab: every layer's numbers side by side."""
