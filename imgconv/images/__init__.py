"""Reading and writing image files: depth, alpha, metadata and pages as they are, and no file half written."""
