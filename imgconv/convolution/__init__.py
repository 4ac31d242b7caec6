"""Convolution of arrays: the public functions, the planner, and one module for each method of the two engines."""
