"""A rehearsal: the room as on the day, participants who come in the same second, and whether it will do."""
