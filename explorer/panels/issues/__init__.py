"""The Issues tab: what keeps the network from running, with repairs."""
