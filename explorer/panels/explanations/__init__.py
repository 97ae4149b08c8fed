"""The Probe images page: what the network says of each probe, with saliency and Grad-CAM."""
