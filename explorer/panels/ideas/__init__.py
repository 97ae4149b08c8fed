"""Changes worth trying, each with its effect worked out."""
