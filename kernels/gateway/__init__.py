"""The kernel gateway: a thin jupyter_server that starts kernels for authenticated users, and nothing else."""
