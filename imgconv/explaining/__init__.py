"""Kernels, plans and computations as text and data."""
