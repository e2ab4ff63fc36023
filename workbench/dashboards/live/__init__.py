"""Live views: who waits, who has a kernel, which kernels wait for visitors. Called by the handlers of the live view."""

#: What the names of a live tier's own folders begin with.
PREFIX = "genai4eu-live-"
