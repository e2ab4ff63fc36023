"""Errors a user can put right; the command line prints each as one line and exits with code 1."""


class WorkbenchError(Exception):
    """Wrong input or a missing thing; the message names the thing and the remedy."""
