"""A course that starts where there is no network: one folder with wheels, lessons, data and the proxy."""
