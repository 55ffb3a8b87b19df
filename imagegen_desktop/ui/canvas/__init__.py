"""The canvas: the picture being drawn, what is dropped on it, and how far it has come."""
