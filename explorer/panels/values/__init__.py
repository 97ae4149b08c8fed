"""The editors of hyper-parameters, one for each kind of value."""
