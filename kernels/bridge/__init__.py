"""The bridge: a local process, started from a kernelspec, that joins a ZMQ client to a gateway kernel."""
