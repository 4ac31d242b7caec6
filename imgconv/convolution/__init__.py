"""Convolution of arrays: the functions, the planner, the engines' methods one file each."""
