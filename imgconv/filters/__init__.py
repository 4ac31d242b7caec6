"""Anything image to image: kernels, gradients and edges, and chains of them."""
