"""Who makes images: the local engine and, beside it, services in the cloud."""
