"""The Source tab: the network as PyTorch source."""
