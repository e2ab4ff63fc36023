"""Bundles: one file, and the same dashboard elsewhere; what is damaged, hostile or too large is refused."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genai4eu.dashboards.bundle import Bundle
from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.publishing.archive import MANIFEST, pack
from genai4eu.dashboards.publishing.publish import publish, republish
from genai4eu.dashboards.publishing.published import Published
from genai4eu.dashboards.serving import unpacking
from genai4eu.dashboards.serving.gathering import gathered
from genai4eu.dashboards.serving.server import running
from genai4eu.dashboards.serving.unpacking import unpack
from genai4eu.errors import WorkbenchError
from genai4eu.runs.record import Record


@pytest.fixture
def packed(published: Published, tmp_path: Path) -> Path:
    return pack(Bundle(published.folder), tmp_path / "x.zip")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "elsewhere"
    made.mkdir()
    return made


def _files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _written(path: Path, edit: Callable[[dict[str, bytes]], None], *, renew: bool = True) -> Path:
    """Write a bundle anew after a change; with digests that fit it, unless they are not to."""
    with zipfile.ZipFile(path) as archive:
        content = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    edit(content)
    if renew and MANIFEST in content:
        manifest = json.loads(content[MANIFEST])
        manifest["files"] = {
            name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            for name, data in content.items()
            if name != MANIFEST
        }
        content[MANIFEST] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def test_the_same_dashboard_gives_the_same_bytes(published: Published, packed: Path, tmp_path: Path) -> None:
    assert pack(Bundle(published.folder), tmp_path / "y.zip").read_bytes() == packed.read_bytes()
    assert sorted(p.name for p in tmp_path.glob("*.zip")) == ["x.zip", "y.zip"]
    assert not list(tmp_path.glob(".x.zip*")), "nothing is left beside it"


def test_what_is_trusted_comes_out_as_it_went_in(published: Published, packed: Path, place: Path) -> None:
    made = unpack(packed, place, trusted=True)
    assert made.slug == published.slug and _files(made.current.folder) == _files(published.folder)


def test_what_is_not_trusted_runs_nothing(published: Published, packed: Path, place: Path) -> None:
    def poison(content: dict[str, bytes]) -> None:
        page = json.loads(content["page.json"])
        page["blocks"][0]["html"] += (
            '<script src="media/0123456789abcdef.js"></script><img src=x onerror=alert(1)>'
            '<img alt="spy" src="https://a.example/x.png"><iframe srcdoc="x"></iframe>'
        )
        content["page.json"] = json.dumps(page).encode()
        content["media/0123456789abcdef.js"] = b"alert(1)"

    made = unpack(_written(packed, poison), place).current
    names = _files(made.folder).keys()
    assert "live.ipynb" not in names and not [n for n in names if n.endswith(".js")]
    assert made.read("page.json")["part"] is None
    text = json.dumps(made.blocks)
    assert not any(word in text for word in ("<script", "onerror", "a.example", "iframe", "src=x"))
    assert [b["html"] for b in made.blocks][1:] == [b["html"] for b in Bundle(published.folder).blocks][1:]


def _manifest(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def edit(content: dict[str, bytes]) -> None:
        content[MANIFEST] = json.dumps(json.loads(content[MANIFEST]) | changes).encode()

    return edit


def _info(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def edit(content: dict[str, bytes]) -> None:
        content["dashboard.json"] = json.dumps(json.loads(content["dashboard.json"]) | changes).encode()

    return edit


@pytest.mark.parametrize(
    ("edit", "renew", "says"),
    [
        (lambda c: c.update({"outputs/wave.npy": b"x"}), False, "wave.npy in it is not what"),
        (lambda c: c.update({"more.txt": b"x"}), False, "not those of its manifest"),
        (lambda c: c.pop("page.json"), False, "not those of its manifest"),
        (lambda c: c.pop(MANIFEST), False, "no manifest.json of a dashboard"),
        (lambda c: c.update({MANIFEST: b"{"}), False, "no manifest.json of a dashboard"),
        (lambda c: c.update({MANIFEST: b"[" * 100_000}), False, "no manifest.json of a dashboard"),
        (_manifest(version=2), True, "format 2, here 1 is read"),
        (_manifest(slug="../up"), True, "manifest.json is damaged"),
        (_manifest(number=0), True, "manifest.json is damaged"),
        (_manifest(files={"dashboard.json": {"size": -1}}), False, "manifest.json is damaged"),
        (lambda c: c.update({"../up.txt": b"x"}), True, "no name for a file"),
        (lambda c: c.update({"/etc/x": b"x"}), True, "no name for a file"),
        (lambda c: c.update({"a\\..\\b": b"x"}), True, "no name for a file"),
        (lambda c: c.update({"c:/x": b"x"}), True, "no name for a file"),
        (lambda c: c.update({"outputs/": b""}), True, "no plain file"),
        (lambda c: c.update({"PAGE.json": b"x"}), True, "two files of one name"),
        (lambda c: c.update({"card.json": b'{"question": 1}'}), True, "pages cannot be shown"),
        (lambda c: c.update({"dashboard.json": b"{}"}), True, "pages cannot be shown"),
        (lambda c: c.update({"page.json": b'{"blocks": [1]}'}), True, "pages cannot be shown"),
        (_info(texts="nl"), True, "pages cannot be shown"),
        (_info(texts={"nl": ["title"]}), True, "pages cannot be shown"),
        (_info(languages="nl"), True, "pages cannot be shown"),
        (_info(headline={"name": "m", "value": "9", "unit": "m", "words": "far"}), True, "pages cannot be shown"),
        (_info(metrics={"m": {}}), True, "pages cannot be shown"),
        (_info(duration="long"), True, "pages cannot be shown"),
        (_info(figure={"src": "../up.png", "width": "1", "height": "1"}), True, "pages cannot be shown"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_refused(
    packed: Path, place: Path, edit: Callable[[dict[str, bytes]], None], renew: bool, says: str
) -> None:
    with pytest.raises(WorkbenchError, match=says) as caught:
        unpack(_written(packed, edit, renew=renew), place)
    assert str(packed) in str(caught.value) and str(place) not in str(caught.value), "it names what somebody can mend"
    assert "\n" not in str(caught.value)
    assert "cannot be shown" in says or list(place.iterdir()) == [], "refused before anything is unpacked"


def test_links_are_refused(packed: Path, place: Path) -> None:
    with zipfile.ZipFile(packed, "a") as archive:
        link = zipfile.ZipInfo("outputs/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(WorkbenchError, match="no plain file"):
        unpack(packed, place)


def test_bombs_are_refused_by_what_is_counted(packed: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "FILES", 5)
    with pytest.raises(WorkbenchError, match="more than 5"):
        unpack(packed, place)
    monkeypatch.undo()
    monkeypatch.setattr(unpacking, "_HARMLESS", 2**20)
    _written(packed, lambda c: c.update({"outputs/zeros": bytes(100 * 2**20)}))
    with pytest.raises(WorkbenchError, match=r"would unpack to 10. MB"):
        unpack(packed, place)


def test_a_file_that_is_longer_than_it_says_is_not_read_on(packed: Path, place: Path) -> None:
    def lie(content: dict[str, bytes]) -> None:
        manifest = json.loads(content[MANIFEST])
        manifest["files"]["outputs/wave.npy"]["size"] = 10
        content[MANIFEST] = json.dumps(manifest).encode()

    with pytest.raises(WorkbenchError, match=r"wave.npy in it is not what"):
        unpack(_written(packed, lie, renew=False), place)


@pytest.mark.parametrize("cut", [0, 100, 2000, -30])
def test_half_a_file_is_refused(packed: Path, place: Path, cut: int) -> None:
    packed.write_bytes(packed.read_bytes()[:cut])
    with pytest.raises(WorkbenchError, match="no zip, or a part of it is missing"):
        unpack(packed, place)


def test_flipped_bits_are_found(packed: Path, place: Path) -> None:
    content = bytearray(packed.read_bytes())
    content[len(content) // 2] ^= 0xFF
    packed.write_bytes(content)
    with pytest.raises(WorkbenchError, match="no bundle that can be served"):
        unpack(packed, place)


def test_only_bundles_are_overwritten(published: Published, tmp_path: Path) -> None:
    (tmp_path / "mine.zip").write_text("not a zip", encoding="utf-8")
    for name in ("mine.zip", "page.html"):
        with pytest.raises(WorkbenchError, match=r"choose another name|end with .zip"):
            pack(Bundle(published.folder), tmp_path / name)
    assert (tmp_path / "mine.zip").read_text("utf-8") == "not a zip"


def test_bundles_and_folders_are_served_together(record: Record, packed: Path, tmp_path: Path) -> None:
    slug = publish(record).slug
    other = tmp_path / "other"
    with gathered([packed]) as (folder, unpacked):
        assert [d.slug for d in unpacked] == [slug]
        unpacked_to = folder
        with running(folder) as server, urllib.request.urlopen(f"{server.address}d/{slug}/") as answer:
            assert b"Does a higher wave" in answer.read()
    assert not unpacked_to.exists(), "what was unpacked is gone at the end"
    with pytest.raises(WorkbenchError, match="another dashboard is called"), gathered([dashboards_root(), packed]):
        pass
    other.mkdir()
    with gathered([other, packed]) as (folder, _), running(folder) as server:
        assert urllib.request.urlopen(f"{server.address}d/{slug}/evidence").status == 200
    with gathered([dashboards_root(), other]) as (folder, _), running(folder) as server:
        assert urllib.request.urlopen(f"{server.address}d/{slug}/").status == 200
    with pytest.raises(WorkbenchError, match="there is no"), gathered([tmp_path / "none.zip"]):
        pass


def test_a_bundle_that_is_refused_keeps_the_others_from_nobody(packed: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.zip"
    wrong.write_bytes(packed.read_bytes())
    _written(wrong, _info(texts="nl"))
    told: list[str] = []
    with gathered([wrong, packed], told=told.append) as (folder, unpacked), running(folder) as server:
        assert len(unpacked) == 1
        with urllib.request.urlopen(server.address) as answer:
            assert answer.status == 200
    assert len(told) == 1 and str(wrong) in told[0]
    with pytest.raises(WorkbenchError, match=r"wrong\.zip"), gathered([wrong, wrong], told=told.append):
        pytest.fail("there is nothing to serve")
    with pytest.raises(WorkbenchError, match=r"wrong\.zip"), gathered([wrong], told=told.append):
        pytest.fail("there is nothing to serve")


def test_visitors_are_told_what_another_centre_made(published: Published, packed: Path) -> None:
    def text(address: str) -> str:
        with urllib.request.urlopen(f"{address}?lang=nl") as answer:
            return str(answer.read().decode())

    told = ("Dit komt van een ander centrum", "niemand hier heeft ze gecontroleerd", "vertrouwt dat centrum")
    for sources, trusted, says in (([packed], False, told[:2]), ([packed], True, told[::2]), ([], False, ())):
        with gathered(sources, trusted=trusted) as (folder, _), running(folder) as server:
            for name in ("", "evidence"):
                page = text(f"{server.address}d/{published.slug}/{name}")
                assert [words for words in told if words in page] == list(says)
            assert ("Van een ander centrum" in text(server.address)) == bool(says)
            page = text(f"{server.address}d/{published.slug}/")
            assert ("Probeer andere instellingen" in page) == (sources == [] or trusted)


@pytest.mark.slow
def test_the_command_line_writes_bundles_of_runs_and_dashboards(
    published: Published, tmp_path: Path, genai4eu: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    republish(published.slug, title="Second?")
    target = tmp_path / "out.zip"
    told = json.loads(genai4eu("publish", published.slug, "--bundle", str(target), "--json").stdout)
    assert told["bundle"] == str(target) and told["version"] == 2
    assert json.loads(zipfile.ZipFile(target).read(MANIFEST))["number"] == 2
    said = genai4eu("publish", "a1b2", "--bundle", str(target))
    assert said.returncode == 0 and f"Wrote {target}" in said.stdout
    refused = genai4eu("serve", str(tmp_path / "none.zip"), "--no-browser")
    assert refused.returncode == 1 and "there is no" in refused.stderr
