"""What the gateway says of itself: kernelspecs, a user's status, health and metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jupyter_server
from jupyter_server.base.handlers import APIHandler
from jupyter_server.services.kernelspecs.handlers import kernelspec_model
from tornado import web

from . import files
from .guard import Guard
from .quotas import may_use

_KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".js": "text/javascript", ".css": "text/css"}


class _AboutSpecs(Guard, APIHandler):  # type: ignore[misc]
    def offered(self) -> dict[str, Any]:
        """Return the kernelspecs that this user may use, without their variables: operators keep secrets there."""
        specs = self.kernels.kernel_spec_manager.get_all_specs()
        mine = {name: found for name, found in specs.items() if may_use(self.user, name)}
        return {
            name: kernelspec_model(self, name, {**found["spec"], "env": {}}, found["resource_dir"])
            for name, found in mine.items()
        }

    def one(self, kernel_name: str) -> dict[str, Any]:
        """Return one of them."""
        offered = self.offered()
        if kernel_name not in offered:
            raise web.HTTPError(404, "this gateway has no kernelspec %r for you", kernel_name)
        model: dict[str, Any] = offered[kernel_name]
        return model


class Specs(_AboutSpecs):
    """``/api/kernelspecs``."""

    async def get(self) -> None:
        """List the kernelspecs."""
        self.answer({"default": self.kernels.default_kernel_name, "kernelspecs": self.offered()})


class Spec(_AboutSpecs):
    """``/api/kernelspecs/NAME``."""

    async def get(self, kernel_name: str) -> None:
        """Describe a kernelspec."""
        self.answer(self.one(kernel_name))


class SpecFile(_AboutSpecs):
    """``/kernelspecs/NAME/FILE``: a logo or a front-end file, and nothing else that lies there."""

    async def get(self, kernel_name: str, path: str) -> None:
        """Send a file."""
        files = {Path(address).name for address in self.one(kernel_name)["resources"].values()}
        kind = _KINDS.get(Path(path).suffix)
        if path not in files or kind is None:
            raise web.HTTPError(404, "the kernelspec %r has no such file", kernel_name)
        folder = Path(self.kernels.kernel_spec_manager.get_kernel_spec(kernel_name).resource_dir)
        self.set_header("Content-Type", kind)
        self.finish((folder / path).read_bytes())


class Version(Guard, APIHandler):  # type: ignore[misc]
    """``/api``."""

    async def get(self) -> None:
        """Say which Jupyter Server this is like, and what it has beyond one."""
        self.answer({"version": jupyter_server.__version__, "genai4eu": {"files": files.VERSION}})


class Status(Guard, APIHandler):  # type: ignore[misc]
    """``/api/status``."""

    async def get(self) -> None:
        """Say what this user has and may have."""
        user = self.user
        models = [self.kernels.kernel_model(k.kernel_id) for k in self.kernels.records.of(user.name)
                  if k.kernel_id in self.kernels]  # fmt: skip
        limits = {"kernels": user.kernels, "kernelspecs": user.kernelspecs, "longest": user.longest}
        started = self.settings["started"].isoformat().replace("+00:00", "Z")
        last = max([model["last_activity"] for model in models], default=started)
        figures = {"kernels": len(models), "connections": sum(model["connections"] for model in models)}
        self.answer({"started": started, "last_activity": last, **figures, "quota": limits, "expires": user.expires})


class Me(Guard, APIHandler):  # type: ignore[misc]
    """``/api/me``."""

    async def get(self) -> None:
        """Say who the token stands for."""
        identity = self.identity_provider.identity_model(self.current_user)
        self.answer({"identity": identity, "permissions": {"updatable_fields": []}})


class Health(Guard, APIHandler):  # type: ignore[misc]
    """``/health``: for load balancers and probes, without a token; tells nothing else."""

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Let everybody in."""

    async def get(self) -> None:
        """Say whether new kernels are taken."""
        self.answer({"status": "draining" if self.kernels.draining else "ok"})


class Metrics(Guard, APIHandler):  # type: ignore[misc]
    """``/metrics``: Prometheus's text, for operators; the names of all users stand in it."""

    async def get(self) -> None:
        """Send the figures."""
        if not self.user.operator:
            raise web.HTTPError(403, "the metrics are for operators: genai4eu gateway add-user NAME --operator")
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(self.kernels.meters.page())
