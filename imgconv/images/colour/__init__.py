"""Colour: transfer curves, ICC profiles, CMYK, grey."""
