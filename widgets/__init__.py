"""What a person touches in a notebook or dashboard; front-end code bundled, never fetched."""
