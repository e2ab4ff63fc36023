"""What a user may have, decided when a kernel is requested. Called by the managers before anything is started."""

from __future__ import annotations

from tornado import web

from .records import Record
from .users import User


class Refused(web.HTTPError):
    """A refusal with its reason in one word, for the audit log, and in one line, for the user."""

    def __init__(self, status: int, reason: str, line: str, retry: int = 0) -> None:
        super().__init__(status, "%s", line)
        self.kind = reason
        self.retry = retry


def check_kernelspec(user: User, name: str, offered: list[str]) -> None:
    """Refuse a kernelspec that is not there, or that is not for this user."""
    allowed = [spec for spec in sorted(offered) if may_use(user, spec)]
    use = f"use one of {', '.join(allowed)}" if allowed else "ask the gateway's operator for one"
    if name not in offered:
        raise Refused(404, "unknown", f"this gateway has no kernelspec {name!r}: {use}")
    if name not in allowed:
        raise Refused(403, "kernelspec", f"the kernelspec {name!r} is not among those allowed to {user.name}: {use}")


def may_use(user: User, spec: str) -> bool:
    """Return whether the kernelspec is for this user."""
    return user.kernelspecs is None or spec in user.kernelspecs


def check_count(user: User, kernels: list[Record], bridge: bool = False) -> None:
    """Refuse one kernel too many, and say which ones there are and how to free one.

    ``bridge`` tells that a person will read it in a notebook, who has menus and no REST.
    """
    if user.kernels is None or len(kernels) < user.kernels:
        return
    if user.kernels == 0:
        raise Refused(429, "kernels", f"{user.name} may have no kernels here: ask the gateway's operator")
    used = ", ".join(f"{kernel.kernelspec} for {kernel.age()}" for kernel in kernels[:5])
    rest = "" if bridge else f", or with DELETE /api/kernels/{kernels[0].kernel_id}"
    raise Refused(
        429, "kernels",
        f"{user.name} has {len(kernels)} of {user.kernels} kernels at once ({used}): shut one down in JupyterLab under "
        f"Running Terminals and Kernels, or end the program that uses it{rest}, and ask again", 30,
    )  # fmt: skip
