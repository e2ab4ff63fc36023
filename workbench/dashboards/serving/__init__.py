"""The server of the gallery: its addresses, and the dashboards it is given."""
