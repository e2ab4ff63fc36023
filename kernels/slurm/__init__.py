"""Kernels as Slurm jobs."""
