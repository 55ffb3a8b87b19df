"""ImageGen Desktop: a native image generator for artists."""

__version__ = "0.1.0"
