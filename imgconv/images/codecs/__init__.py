"""Who decodes and encodes pixels: OpenCV, Pillow, tifffile, imagecodecs. One file each way, or one for both."""

import logging

# What the libraries in imagecodecs have to say of a picture is not for the terminal.
logging.getLogger("imagecodecs").addHandler(logging.NullHandler())
