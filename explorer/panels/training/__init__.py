"""The Training tab: what to train with, start and stop, how far it is."""
