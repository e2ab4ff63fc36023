"""``/api/sessions``: which notebook goes with which of one's kernels, as JupyterLab and JKG's clients know it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from jupyter_server.base.handlers import APIHandler
from tornado import web

from .guard import Guard
from .kernel import Wish


@dataclass
class Entry:
    """A session: the notebook's (or console's) path, name and type, and its kernel."""

    session_id: str
    owner: str
    path: str
    name: str
    kind: str
    kernel_id: str


class _AboutSessions(Guard, APIHandler):  # type: ignore[misc]
    @property
    def entries(self) -> dict[str, Entry]:
        """All sessions by id, less those whose kernel has ended."""
        entries: dict[str, Entry] = self.settings["sessions"]
        for entry in [e for e in entries.values() if self.kernels.owner(e.kernel_id) != e.owner]:
            entries.pop(entry.session_id, None)
        return entries

    def mine(self) -> list[Entry]:
        """Return the user's sessions whose kernel is there."""
        return [e for e in self.entries.values() if e.owner == self.user.name and e.kernel_id in self.kernels]

    def one(self, session_id: str) -> Entry:
        """Return one of the user's sessions; 404 if there is no such one of theirs."""
        for entry in self.mine():
            if entry.session_id == session_id:
                return entry
        raise web.HTTPError(404, "there is no session %s of yours", session_id)

    def model(self, entry: Entry) -> dict[str, Any]:
        """Return a session as Jupyter's REST describes it."""
        model = {"id": entry.session_id, "path": entry.path, "name": entry.name, "type": entry.kind}
        legacy = {"notebook": {"path": entry.path, "name": entry.name}} if entry.kind == "notebook" else {}
        return {**model, **legacy, "kernel": self.kernels.kernel_model(entry.kernel_id)}

    async def kernel_for(self, wanted: object, path: str) -> str:
        """Return the kernel that ``{"id": …}`` means, or a new one of ``{"name": …}``."""
        if not isinstance(wanted, dict):
            raise web.HTTPError(400, "kernel must be an object with a name or an id")
        if (kernel_id := wanted.get("id")) is not None:
            if not isinstance(kernel_id, str) or self.kernels.owner(kernel_id) != self.user.name:
                raise web.HTTPError(404, "there is no kernel %s of yours", kernel_id)
            return kernel_id
        name = str(wanted.get("name") or self.kernels.default_kernel_name)
        env = {"JPY_SESSION_NAME": path} if path.isprintable() and len(path) < 4096 else {}
        return await self.kernels.start(self.user, Wish(name, env=env, address=self.address))


def _texts(sent: dict[str, Any]) -> dict[str, str]:
    """Return path, name and type of what was sent, as far as they are there."""
    old = sent.get("notebook")
    known = {**(old if isinstance(old, dict) else {}), **sent}
    found = {what: known[what] for what in ("path", "name", "type") if known.get(what) is not None}
    if not all(isinstance(value, str) and len(value) < 4096 for value in found.values()):
        raise web.HTTPError(400, "path, name and type must be short strings")
    return found


class Sessions(_AboutSessions):
    """The list of sessions."""

    async def get(self) -> None:
        """List the user's sessions."""
        self.answer([self.model(entry) for entry in self.mine()])

    async def post(self) -> None:
        """Make a session, with a new kernel or one that is there; or return the one that the path has already."""
        sent = self.body()
        texts = _texts(sent)
        if "path" not in texts:
            raise web.HTTPError(400, "a session needs a path")
        known = [entry for entry in self.mine() if entry.path == texts["path"]]
        if not known:
            kernel_id = await self.kernel_for(sent.get("kernel") or {}, texts["path"])
            kind = texts.get("type", "notebook")
            entry = Entry(str(uuid.uuid4()), self.user.name, texts["path"], texts.get("name", ""), kind, kernel_id)
            self.entries[entry.session_id] = entry
            known = [self.one(entry.session_id)]
        self.set_header("Location", f"{self.base_url}api/sessions/{known[0].session_id}")
        self.answer(self.model(known[0]), 201)


class Session(_AboutSessions):
    """One session."""

    async def get(self, session_id: str) -> None:
        """Describe a session."""
        self.answer(self.model(self.one(session_id)))

    async def patch(self, session_id: str) -> None:
        """Rename a session, or give it another kernel, which ends the one it had."""
        entry, sent = self.one(session_id), self.body()
        texts = _texts(sent)
        before = entry.kernel_id
        if sent.get("kernel"):
            entry.kernel_id = await self.kernel_for(sent["kernel"], texts.get("path", entry.path))
        entry.path, entry.name = texts.get("path", entry.path), texts.get("name", entry.name)
        entry.kind = texts.get("type", entry.kind)
        if entry.kernel_id != before:
            await self.kernels.end(before, "deleted", self.user.name, self.address)
        self.answer(self.model(entry))

    async def delete(self, session_id: str) -> None:
        """End a session and its kernel."""
        entry = self.one(session_id)
        await self.kernels.end(entry.kernel_id, "deleted", self.user.name, self.address)
        self.settings["sessions"].pop(session_id, None)
        self.set_status(204)
