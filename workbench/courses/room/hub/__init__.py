"""What runs inside JupyterHub: who may sit down, how a seat's server is started."""
