"""Model files: what a file or folder is, without loading it."""
