"""Which kernelspecs the gateway offers. Used by the app and the handlers."""

from __future__ import annotations

from jupyter_client.kernelspec import KernelSpecManager


class LocalKernelSpecManager(KernelSpecManager):  # type: ignore[misc]
    """Offers the kernelspecs of this computer, but no bridge to a gateway: it could lead back here."""

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the folders of the kernelspecs by name."""
        found = super().find_kernel_specs()
        return {name: folder for name, folder in found.items() if not self._is_bridge(name)}

    def _is_bridge(self, name: str) -> bool:
        try:
            ours = super().get_kernel_spec(name).metadata.get("genai4eu")
        except (LookupError, ValueError, OSError):  # a broken kernelspec is no kernelspec
            return True
        return isinstance(ours, dict) and "gateway" in ours
