"""Who may see a dashboard: everybody, who has a link, who is signed in."""
