"""Trains the starter model: the autoencoder first, then text encoder and denoiser together."""
