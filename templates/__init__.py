"""Sector notebook templates and the page template of dashboards (data)."""
