"""One page for each new user: address, token, three commands. Called by ``gateway add-user``."""

from __future__ import annotations

import html

from . import spans

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #14213d; margin: 0; }
section { max-width: 44rem; margin: 0 auto; padding: 3rem 2rem; break-after: page; }
h1 { font-size: 1.5rem; } dt { font-weight: 600; margin-top: .5rem; } dd { margin: 0; }
code, pre { font: 15px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
pre { overflow-wrap: normal; } pre span { white-space: nowrap; }
pre { background: #f1f3f7; padding: .5rem .75rem; border-radius: .25rem; }
"""
_ABOUT = "Your notebooks stay on your computer; their cells run on another one, which this page opens to you."
_GET = "Your computer needs genai4eu: type pip install genai4eu, or ask your trainer."
_TRUST = (
    "If connect says that the certificate is not trusted, ask your trainer for its authority's file and add "
    "--ca-file FILE to the command."
)


def _steps(url: str, name: str) -> list[tuple[str, str]]:
    file = f"~/{name}.token"
    return [
        ("Keep the token where only you can read it: type this, paste the token, press Enter, then Ctrl-D",
         f"(umask 077; cat > {file})"),
        ("Connect; this makes the gateway's kernels kernels of your own Jupyter",
         f"genai4eu connect factory --url {url} --token-file {file}"),
        ("Work in JupyterLab, where the kernels whose names begin with factory · run there", "genai4eu lab"),
    ]  # fmt: skip


def text(url: str, tokens: dict[str, str], expires: float | None, private: bool = False) -> str:
    """Return the pages as text, a form feed between two. ``private``: not everybody trusts the certificate."""
    pages = []
    for name, token in tokens.items():
        until = f"good until {spans.until(expires)}" if expires else "it has no end"
        lines = [
            f"Factory kernels for {name}",
            _ABOUT,
            _GET,
            "",
            f"address  {url}",
            f"token    {token}",
            f"         yours alone; {until}",
        ]
        for number, (say, command) in enumerate(_steps(url, name), 1):
            lines += ["", f"{number}. {say}:", f"   {command}"]
        lines += ["", _TRUST] if private else []
        pages.append("\n".join(lines) + "\n")
    return "\f".join(pages)


def page(url: str, tokens: dict[str, str], expires: float | None, private: bool = False) -> str:
    """Return the pages as HTML to print, one sheet each; asks nobody for anything."""
    until = f"Good until {spans.until(expires)}." if expires else "It has no end."
    trust = f"<p>{html.escape(_TRUST)}</p>" if private else ""
    sections = []
    for name, token in tokens.items():
        steps = "".join(
            f"<li>{html.escape(say)}:<pre>{_whole_words(command)}</pre></li>" for say, command in _steps(url, name)
        )
        sections.append(
            f"<section><h1>Factory kernels for {html.escape(name)}</h1><p>{_ABOUT}<br>{_GET}</p>"
            f"<dl><dt>Address</dt><dd><code>{html.escape(url)}</code></dd><dt>Token</dt><dd><code>{html.escape(token)}</code>"
            f"<br>Yours alone. {until}"
            f"</dd></dl><ol>{steps}</ol>{trust}</section>"
        )
    head = f'<meta charset="utf-8"><title>Factory kernels</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(sections)}</body></html>\n'


def _whole_words(command: str) -> str:
    """Return a command whose lines break at spaces alone: browsers would also break after a hyphen."""
    return " ".join(f"<span>{html.escape(word)}</span>" for word in command.split(" "))
