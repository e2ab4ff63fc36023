"""Runs: start one, follow it, keep its record, find it again."""
