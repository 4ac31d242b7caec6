"""Reading and writing image files, with their depth, alpha channel, metadata and pages."""
