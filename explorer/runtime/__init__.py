"""Architectures in torch: modules, weights, devices, feature maps. No training loop, no data sets.

Nothing is imported here: `threads.prepare` must be reachable before torch is loaded, and torch takes over a second.
"""
