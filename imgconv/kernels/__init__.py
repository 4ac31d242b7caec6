"""Kernels: the value and its algebra, the generators, the notation, the file formats and the catalog.

Nothing is imported here, so that the notation and the catalog are there without numpy.
"""
