"""Measuring: how long each method takes, beside OpenCV and SciPy, and the planner's constants fitted to it."""
