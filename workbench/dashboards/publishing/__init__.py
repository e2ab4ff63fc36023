"""Publish a run: what it shows is frozen, checked, and becomes a version, a file or a page."""
