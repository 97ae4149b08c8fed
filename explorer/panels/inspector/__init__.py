"""The inspector: what is selected, its figures and its hyper-parameters."""
