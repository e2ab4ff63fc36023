"""JupyterHub's configuration for a room, read by JupyterHub itself: see ``__main__``."""

import importlib.resources
import json
import os
from pathlib import Path

from genai4eu.courses.room.files import NAME as FILES
from genai4eu.courses.room.folder import Room
from genai4eu.courses.room.hub.authenticator import CodeAuthenticator
from genai4eu.courses.room.hub.bounds import bound
from genai4eu.courses.room.hub.pages import install
from genai4eu.courses.room.hub.spawner import SeatSpawner
from genai4eu.courses.seat import STARTUP, options

room = json.loads((Path(os.environ["GENAI4EU_ROOM"]) / "room.json").read_text(encoding="utf-8"))
folder = Path(os.environ["GENAI4EU_ROOM"])
install(Room(folder))
bound()
c = get_config()  # type: ignore[name-defined]  # noqa: F821  # JupyterHub's own
c.JupyterHub.bind_url = f"http://{room['host']}:{room['port']}/"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{room['hub_port']}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{room['proxy_port']}"
c.ConfigurableHTTPProxy.should_start = False  # the room does, so that it goes on when the hub does not
c.JupyterHub.db_url = f"sqlite:///{folder / 'hub' / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(folder / "hub" / "cookie_secret")
c.JupyterHub.cleanup_servers = c.JupyterHub.cleanup_proxy = False
c.JupyterHub.authenticator_class = CodeAuthenticator
c.JupyterHub.spawner_class = SeatSpawner
c.Spawner.poll_interval = 3  # seconds; whose server has ended reads so, and not that nothing answers
c.JupyterHub.concurrent_spawn_limit = 0  # seats wait in our own line, which refuses nobody
c.CodeAuthenticator.folder = str(folder)
c.CodeAuthenticator.allow_all = True
c.SeatSpawner.folder = str(folder)
c.SeatSpawner.env_keep = ["PATH", "LANG", "LC_ALL", "TZ"]
c.SeatSpawner.environment = {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "GENAI4EU_WARM_AHEAD": "1", **STARTUP}
templates = Path(str(importlib.resources.files("genai4eu.templates"))) / "course"
c.SeatSpawner.args = [
    *(f"--ServerApp.jpserver_extensions={name}=False" for name in room["without"]),
    *options(),
    "--MappingKernelManager.cull_idle_timeout=3600",  # of browsers that were closed: a variable is soon made again
    "--MappingKernelManager.cull_interval=120",
    "--KernelManager.transport_encryption=required",  # else other seats could listen to what kernels print
]
c.JupyterHub.template_paths = [str(templates / "hub")]
c.Spawner.default_url = room["open"]
c.Spawner.start_timeout = 600  # the time in the line counts, too
c.Spawner.http_timeout = 60
c.JupyterHub.services = [
    {"name": "room", "api_token": room["token"]},
    # The trainer's page, which has a key of its own, and JupyterLab's own files, the same for all seats.
    {"name": "board", "url": f"http://127.0.0.1:{room['board_port']}", "timeout": 5},
    {"name": FILES, "url": f"http://127.0.0.1:{room['files_port']}"},
]
c.JupyterHub.load_roles = [
    {
        "name": "room",
        "scopes": ["admin:users", "admin:servers", "servers", "list:users", "read:metrics", "proxy"],
        "services": ["room"],
    },
    {  # what its own pages need of JupyterHub's ``self``: a seat makes no tokens, and shares with nobody
        "name": "user",
        "scopes": ["read:users!user", "users:activity!user", "servers!user", "access:servers!user"],
    },
]
