"""The Weights tab: filters, their change and gradients, histograms and curves over time."""
