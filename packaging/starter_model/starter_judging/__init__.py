"""Judges pictures the starter model made, with detectors checked on drawn pictures."""
