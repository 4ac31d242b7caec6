"""Filtering of one image file or of folders of image files."""
