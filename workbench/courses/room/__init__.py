"""The room: a JupyterHub for one course on one computer, with a seat for each participant."""
