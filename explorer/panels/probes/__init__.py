"""The bar where probe images are chosen, opened, pasted and drawn."""
