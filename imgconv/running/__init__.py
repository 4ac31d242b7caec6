"""A filter over one image file, or over a folder of them."""
