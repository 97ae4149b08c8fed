"""The node that training reads, under the name by which torch's side knows it; it needs no torch to be found."""

from explorer.inference.logits import logits_node

__all__ = ["logits_node"]
