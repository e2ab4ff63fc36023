"""The science, one folder a use case; each is usable from a plain script, without Jupyter."""
