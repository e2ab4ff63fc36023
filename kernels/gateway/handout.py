"""One page for each new user: address, token, three commands. Called by ``gateway add-user``."""

from __future__ import annotations

import html

from .spans import date

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #14213d; margin: 0; }
section { max-width: 44rem; margin: 0 auto; padding: 3rem 2rem; break-after: page; }
h1 { font-size: 1.5rem; } dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0; }
code, pre { font: 15px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
pre { background: #f1f3f7; padding: .5rem .75rem; border-radius: .25rem; }
"""


def _steps(url: str, name: str) -> list[tuple[str, str]]:
    file = f"~/{name}.token"
    return [
        ("Keep the token where only you can read it: type this, paste the token, press Enter, then Ctrl-D",
         f"(umask 077; cat > {file})"),
        ("Connect; this makes the gateway's kernels kernels of your own Jupyter",
         f"genai4eu connect factory --url {url} --token-file {file}"),
        ("Work in JupyterLab, where the kernels ending in (factory) run there", "genai4eu lab"),
    ]  # fmt: skip


def text(url: str, tokens: dict[str, str], expires: float | None) -> str:
    """Return the pages as text, a form feed between two."""
    pages = []
    for name, token in tokens.items():
        until = f"it ends {date(expires)}" if expires else "it has no end"
        lines = [
            f"Factory kernels for {name}",
            "",
            f"address  {url}",
            f"token    {token}",
            f"         yours alone; {until}",
        ]
        for number, (say, command) in enumerate(_steps(url, name), 1):
            lines += ["", f"{number}. {say}:", f"   {command}"]
        pages.append("\n".join(lines) + "\n")
    return "\f".join(pages)


def page(url: str, tokens: dict[str, str], expires: float | None) -> str:
    """Return the pages as HTML to print, one sheet each; asks nobody for anything."""
    until = f"It ends {date(expires)}." if expires else "It has no end."
    sections = []
    for name, token in tokens.items():
        steps = "".join(
            f"<li>{html.escape(say)}:<pre>{html.escape(command)}</pre></li>" for say, command in _steps(url, name)
        )
        sections.append(
            f"<section><h1>Factory kernels for {html.escape(name)}</h1><dl><dt>Address</dt><dd><code>"
            f"{html.escape(url)}</code></dd><dt>Token</dt><dd><code>{html.escape(token)}</code><br>Yours alone. {until}"
            f"</dd></dl><ol>{steps}</ol></section>"
        )
    head = f'<meta charset="utf-8"><title>Factory kernels</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(sections)}</body></html>\n'
