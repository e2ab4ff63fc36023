"""Live views: who waits, who has a kernel, which kernels wait for visitors. Called by the handlers of the live view."""
