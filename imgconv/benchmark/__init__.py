"""Benchmarks of the methods against OpenCV and SciPy, and calibration of the planner's constants."""
