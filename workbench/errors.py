"""Errors a user can put right; the command line prints each as one line and exits with code 1."""


class WorkbenchError(Exception):
    """Wrong input or a missing thing; the message names the thing and the remedy."""


class Stopped(KeyboardInterrupt):
    """A run is to end now, for a reason that only whoever stops it knows. Raised by signal handlers.

    Parameters
    ----------
    status : str
        How the run ends.
    sentence : str
        Why, in one line.
    """

    def __init__(self, status: str = "cancelled", sentence: str = "stopped by its user") -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
