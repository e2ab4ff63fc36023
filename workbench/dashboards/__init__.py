"""Dashboards: publish a run as a frozen page, serve the pages, bring one to life on first touch."""
