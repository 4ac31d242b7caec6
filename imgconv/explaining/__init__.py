"""Kernels, plans and convolution matrices as text and data."""
