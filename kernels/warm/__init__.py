"""Warm kernels: forked from a template process that has the science stack imported."""
