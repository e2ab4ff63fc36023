"""Dashboards: publish a finished run as a frozen page, serve the gallery, bring a page to life."""
