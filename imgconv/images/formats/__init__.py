"""The image formats: one class and one file each."""
