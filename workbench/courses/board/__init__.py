"""The trainer's board: who needs help, how far everybody is, and what the trainer may do about it."""
