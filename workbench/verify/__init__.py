"""Verify: a recorded run is done once more, and what it kept is compared output by output."""
