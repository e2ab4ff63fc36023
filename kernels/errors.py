"""Errors of this room. The command line prints them as one line; each names the thing and the remedy."""


class KernelsError(Exception):
    """Something about a gateway, a bridge or a target that its user can put right."""
