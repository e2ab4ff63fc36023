"""Sweeps: many runs of one notebook over a grid, a list or a sample of parameters; each run an ordinary record."""
