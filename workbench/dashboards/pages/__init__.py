"""The pages of dashboards: put together where they are served, in the visitor's language."""
