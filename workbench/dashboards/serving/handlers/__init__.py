"""What answers each address of the gallery's server. Called by the server alone."""
