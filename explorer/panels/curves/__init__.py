"""Loss and accuracy of a run, drawn while it goes."""
