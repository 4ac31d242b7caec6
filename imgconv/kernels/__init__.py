"""Kernels: the `Kernel` class and its algebra, generators, notation, file formats and catalog.

Nothing is imported here, so that the notation and the catalog work without importing numpy.
"""
