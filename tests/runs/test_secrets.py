"""Secrets: the value reaches the notebook and nothing else: not the record, the logs, the process list."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genai4eu import redact
from genai4eu.errors import WorkbenchError
from genai4eu.secrets import folder, secret
from genai4eu.vault import keep, listed, remove

CLI = Callable[..., subprocess.CompletedProcess[str]]
#: Nothing of it occurs by chance; it holds what quoting, HTML and addresses write otherwise.
VALUE = "hünt<er2>'&\"/+ Zq9xKw\\pL"


@pytest.fixture(autouse=True)
def _own_place(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(house / "config"))
    monkeypatch.delenv("GENAI4EU_SECRETS", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setattr(redact, "_SHOWN", {})


def write(content: str, mode: int = 0o600, name: str = "hub") -> Path:
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder() / name
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_secret_is_read_from_a_private_file() -> None:
    write(VALUE + "\n")
    assert secret("hub") == secret("secret:hub") == VALUE


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_file_that_others_can_read_is_refused_with_the_remedy(mode: int) -> None:
    path = write(VALUE, mode)
    with pytest.raises(WorkbenchError, match=re.escape(f"can be read by others: type chmod 600 {path}")) as caught:
        secret("secret:hub")
    assert VALUE not in str(caught.value)


def test_what_cannot_be_a_secret_is_refused_and_not_repeated() -> None:
    write("short")
    with pytest.raises(WorkbenchError, match="shorter than 6"):
        secret("hub")
    nowhere = r"no secret 'other' on .*, neither in .*secrets.* nor in a keyring: type genai4eu secrets set other there"
    with pytest.raises(WorkbenchError, match=nowhere):
        secret("secret:other")
    for value in ("hunter2hunter2", "../hub", "a b", VALUE, ""):
        with pytest.raises(WorkbenchError, match=r"no secret of that name|no name of a secret") as caught:
            secret(value)
        assert not value or value not in str(caught.value)
    (folder() / "dir").mkdir()
    with pytest.raises(WorkbenchError, match="'dir' cannot be read"):
        secret("dir")


def test_keyring_is_asked_where_no_file_is(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the real library, and a keyring made here, as a computer without a desktop has none."""
    keyring = pytest.importorskip("keyring")
    from keyring.backend import KeyringBackend

    class Dictionary(KeyringBackend):
        priority = 1
        held: dict[tuple[str, str], str] = {}  # noqa: RUF012

        def get_password(self, service: str, username: str) -> str | None:
            return self.held.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.held[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.held[service, username]

    before = keyring.get_keyring()
    keyring.set_keyring(Dictionary())  # type: ignore[no-untyped-call]
    try:
        assert keep("hub", VALUE.encode(), in_keyring=True) == "the keyring, as genai4eu/hub"
        assert secret("secret:hub") == VALUE and not folder().exists()
        assert remove("hub") == ["the keyring"]
        with pytest.raises(WorkbenchError, match="there is no secret"):
            secret("hub")
    finally:
        keyring.set_keyring(before)


def test_command_line_keeps_lists_and_removes(genai4eu: CLI, house: Path) -> None:
    command = [str(Path(sys.executable).with_name("genai4eu")), "secrets", "set", "secret:hub"]
    done = subprocess.run(command, input=VALUE + "\n", capture_output=True, text=True, cwd=house, check=True)
    assert VALUE not in done.stdout + done.stderr and "secret:hub" in done.stdout
    path = house / "config" / "genai4eu" / "secrets" / "hub"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text(encoding="utf-8") == VALUE + "\n"
    (named,) = json.loads(genai4eu("secrets", "list", "--json").stdout)
    assert named == {"name": "hub", "file": str(path), "problem": None}
    path.chmod(0o644)
    assert "can be read by others" in genai4eu("secrets", "list").stdout
    assert "removed from" in genai4eu("secrets", "rm", "hub").stdout and listed() == []
    assert "no secret 'hub'" in genai4eu("secrets", "rm", "hub").stderr


def test_command_line_asks_on_a_terminal_and_shows_nothing(house: Path) -> None:
    import pty

    command = [str(Path(sys.executable).with_name("genai4eu")), "secrets", "set", "hub"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=house, start_new_session=True)
    os.close(theirs)
    seen = b""
    for sign in (b"shown): ", b"more: "):
        while sign not in seen:
            seen += os.read(ours, 1024)
        time.sleep(0.1)  # the terminal stops to echo just after it asked
        os.write(ours, VALUE.encode() + b"\n")
    assert process.wait(30) == 0
    assert VALUE.encode() not in seen + os.read(ours, 4096)
    os.close(ours)
    assert secret("hub") == VALUE


def test_forms_of_a_value_are_found() -> None:
    redact.keep_out(VALUE, "secret:hub")
    login = base64.b64encode(f"ada:{VALUE}@example".encode()).decode()
    said = [
        VALUE,
        repr(VALUE),
        ascii(VALUE),
        json.dumps(VALUE),
        html.escape(VALUE),
        quote(VALUE),
        quote(VALUE, safe=""),
    ]
    for text in [*said, login]:
        assert "secret:hub" in redact.redacted(f"before {text} after"), text
    nested = redact.redacted({"a": [VALUE, {VALUE: 1}], "b": VALUE.encode(), "c": None, "d": 2.5})
    assert nested == {"a": ["secret:hub", {"secret:hub": 1}], "b": b"*" * len(VALUE.encode()), "c": None, "d": 2.5}


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="ZQK"))


@given(TEXT, TEXT, TEXT)
@settings(deadline=None)
def test_whatever_is_in_it_or_around_it_the_value_is_gone(part: str, before: str, after: str) -> None:
    value = f"ZQ{part}KZQKZQ"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redact, "_SHOWN", {})
        redact.keep_out(value, "secret:hub")
        nested = {"b": value, value: [before]}
        shown = [before + value + after, repr(nested), json.dumps(nested), html.escape(str([value])), ascii([value])]
        for text in (*shown, quote(value)):
            assert "ZQ" not in redact.redacted(text)


def test_lines_of_a_long_secret_are_found_one_by_one() -> None:
    key = "-----BEGIN KEY-----\n" + "\n".join(f"MIIEvQ{n}IBADANBgkqhkiG9w0" for n in range(4)) + "\n-----END KEY-----\n"
    redact.keep_out(key, "secret:key")
    assert "MIIEvQ2" not in redact.redacted("    MIIEvQ2IBADANBgkqhkiG9w0  ")
