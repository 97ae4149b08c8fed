"""Measurements as ratios against a peer in the same run. Scripts, not tests: `python -m tests.benchmarks.edit`."""
