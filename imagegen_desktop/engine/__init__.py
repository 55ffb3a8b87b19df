"""The engine: a child process that draws. Started, never imported; knows torch and diffusers, nothing of Qt or SQL."""
