"""Kernels of a factory for marked cells: ``%%factory`` in a lesson, and the room's broker that has the kernels."""
