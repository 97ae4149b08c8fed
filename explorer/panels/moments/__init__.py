"""The scrubber over a run's captured moments, and two of them side by side."""
