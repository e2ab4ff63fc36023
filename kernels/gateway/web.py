"""The gateway's web application: our handlers behind the guard, and nothing else. Made by the app."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jupyter_server.serverapp import ServerWebApplication
from tornado.web import RequestHandler

from .handlers import table
from .meters import Meters
from .throttle import Throttle


class WebApplication(ServerWebApplication):  # type: ignore[misc]
    """Our handlers behind the guard: no static files, no login page."""

    def init_settings(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the settings without static files, for which tornado would add handlers without a guard."""
        settings: dict[str, Any] = super().init_settings(*args, **kwargs)
        ours = {"throttle": Throttle(), "sessions": {}, "started": datetime.now(UTC)}
        kept = {name: value for name, value in settings.items() if name not in ("static_path", "static_url_prefix")}
        return {**kept, **ours}

    def init_handlers(self, default_services: tuple[str, ...], settings: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Return the handlers. Called by ServerWebApplication."""
        return table()

    def _check_handler_auth(self, matcher: Any, handler: Any) -> list[str]:
        """Miss no decorator: the guard comes before every method of every handler. Called by ServerWebApplication."""
        return []

    def log_request(self, handler: RequestHandler) -> None:
        """Measure a request that has been answered. Not logged: it is in the audit log if it changed anything."""
        status = handler.get_status()
        if status != 101:
            labels = (type(handler).__name__, handler.request.method, f"{status // 100}xx")
            meters: Meters = self.settings["kernel_manager"].meters
            meters.seconds.labels(*labels).observe(handler.request.request_time())
