"""Notebooks that people open: the quickstart (data)."""
