"""The room: a JupyterHub for one course on one computer, with a seat for each participant."""

from ... import lean  # noqa: F401  # before all that imports jsonschema: hub, servers and files do, in a second each
