"""One address over time: new versions, old ones shown again, decisions, taking down; whatever happens meanwhile."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

import genai4eu
from genai4eu.dashboards import dashboard
from genai4eu.dashboards.dashboard import Dashboard, dashboards_root, find
from genai4eu.dashboards.publishing import aside
from genai4eu.dashboards.publishing.publish import publish, republish, unpublish
from genai4eu.dashboards.publishing.published import Published
from genai4eu.errors import WorkbenchError
from genai4eu.runs.record import Record
from genai4eu.runs.seal import fingerprint

from .conftest import html, seal

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def other(record: Record) -> Record:
    """Another run of the same notebook."""
    copy = record.folder.with_name("20261121-080000-tiny-wave-c3d4")
    shutil.copytree(record.folder, copy)
    content = json.loads((copy / "metrics.json").read_text("utf-8"))
    (copy / "metrics.json").write_text(json.dumps(content | {"peak": {"value": 0.7, "unit": "1"}}), encoding="utf-8")
    seal(copy)
    return Record(copy)


def _left(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir() if p.name != ".lock")


def test_a_new_version_stands_at_the_same_address_and_the_old_ones_stay(published: Published, other: Record) -> None:
    before = {p: p.stat().st_mtime_ns for p in published.folder.rglob("*")}
    again = republish("tiny-wave", other)
    assert (again.slug, again.version, again.new) == (published.slug, 2, True)
    standing = Dashboard(dashboards_root() / published.slug)
    assert standing.current.info["run"] == other.id and standing.current.info["metrics"] == {"peak": 0.7}
    assert {p: p.stat().st_mtime_ns for p in published.folder.rglob("*")} == before
    assert [b.info["version"] for b in standing.bundles] == [1, 2]


def test_an_earlier_version_is_shown_again_and_nothing_is_lost(published: Published, other: Record) -> None:
    republish(published.slug, other)
    back = republish(published.slug, version=1)
    assert (back.version, back.new) == (1, True)
    standing = Dashboard(dashboards_root() / published.slug)
    assert standing.site["current"] == 1 and len(standing.bundles) == 2
    assert republish(published.slug, version=1).new is False
    with pytest.raises(WorkbenchError, match="has no version 7: it has 1, 2"):
        republish(published.slug, version=7)
    with pytest.raises(WorkbenchError, match="as it was"):
        republish(published.slug, version=1, title="New")


def test_what_would_look_the_same_makes_no_version(published: Published) -> None:
    assert republish(published.slug).new is False
    assert republish(published.slug, title="New?").version == 2
    assert republish(published.slug, title="New?").new is False
    assert _left(dashboards_root()) == [published.slug]


def test_words_that_were_given_hold_on_but_an_answer_is_of_one_run(record: Record, other: Record) -> None:
    publish(record, title="Given?", summary="0.5.")
    assert republish("tiny-wave", summary=None).new is False
    about = json.loads((republish("tiny-wave", other).folder / "dashboard.json").read_text("utf-8"))
    assert about["title"] == "Given?" and about["answer"].startswith("Yes: the peak")


def test_one_run_has_one_address(published: Published, record: Record, other: Record) -> None:
    republish(published.slug, other)
    assert (publish(other).slug, publish(other).version) == (published.slug, 2)
    assert (publish(record).slug, publish(record).version, publish(record).new) == (published.slug, 1, False)


def test_decisions_are_kept_over_versions_and_may_change(record: Record, other: Record) -> None:
    slug = publish(record, visibility="link", expires="2999-01-31").slug
    republish(slug, other)
    standing = Dashboard(dashboards_root() / slug)
    assert standing.site["visibility"] == "link"
    assert standing.site["expires"][:10] in ("2999-01-31", "2999-02-01")  # the end of the day, in UTC
    assert publish(record, visibility="private").new is False
    assert standing.site["visibility"] == "private" and standing.site["expires"]


@pytest.mark.parametrize(("given", "days"), [("30d", 30), ("2w", 14), ("48h", 2)])
def test_an_end_may_be_a_span_to_come(record: Record, given: str, days: int) -> None:
    end = datetime.fromisoformat(publish(record, expires=given).dashboard.site["expires"])
    assert abs(end - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=5)


def test_an_end_may_be_a_date(record: Record) -> None:
    end = publish(record, expires=date(2999, 1, 31)).dashboard.site["expires"]
    assert datetime.fromisoformat(end) == datetime(2999, 2, 1).astimezone()


@pytest.mark.parametrize("given", [None, 3, Path("run")])
def test_what_is_no_run_is_told_so(given: Any) -> None:
    with pytest.raises(WorkbenchError, match="is no run: give a record"):
        publish(given)


def test_a_run_of_another_template_is_told_of(published: Published, other: Record) -> None:
    path = other.folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "template": "climate"}), "utf-8")
    seal(other.folder)
    (told,) = [w.sentence for w in republish(published.slug, Record(other.folder)).warnings if w.kind == "run"]
    assert "it is a run of climate, and tiny-wave-a1b2 showed one of tiny-wave so far" in told


def test_a_notebook_writes_the_files_too(published: Published, tmp_path: Path) -> None:
    assert zipfile.is_zipfile(published.write_bundle(tmp_path / "x.zip"))
    assert "<html" in published.write_html(str(tmp_path / "x.html")).read_text("utf-8")


@pytest.mark.parametrize("given", ["soon", "", "2999-13-01", "9999-12-31", "0x1"])
def test_an_end_that_is_no_time_is_told_so(record: Record, given: str) -> None:
    with pytest.raises(WorkbenchError, match="is no time: give 2"):
        publish(record, expires=given)


def test_a_new_version_and_who_sees_it_are_decided_at_once(published: Published, other: Record) -> None:
    standing = Dashboard(dashboards_root() / published.slug)
    again = republish(published.slug, other, visibility="link", expires="2999-01-31")
    assert again.version == 2 and (again.link or "").startswith("/l/")
    assert standing.site["current"] == 2 and standing.site["visibility"] == "link"
    assert standing.site["expires"].startswith("2999-0")
    assert republish(published.slug, title="New?").version == 3  # what is not given stays as it was decided
    assert standing.site["visibility"] == "link" and standing.site["expires"].startswith("2999-0")
    assert republish(published.slug, version=1, visibility="private").new
    assert standing.site["visibility"] == "private" and standing.site["current"] == 1
    same = republish(published.slug, visibility="public")  # also where nothing new is to be seen
    assert same.new is False and standing.site["visibility"] == "public" and len(standing.bundles) == 3


def test_a_decision_that_is_none_leaves_the_version_that_stood(published: Published, other: Record) -> None:
    before = (published.folder.parent.parent / "site.json").read_bytes()
    for wrong in ({"visibility": "secret"}, {"expires": "2001-01-01"}):
        for version in (None, 1):
            with pytest.raises(WorkbenchError):
                republish(published.slug, None if version else other, version=version, **wrong)
    assert (published.folder.parent.parent / "site.json").read_bytes() == before
    assert len(Dashboard(published.folder.parent.parent).bundles) == 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"visibility": "secret"}, "public, link or private"),
        ({"expires": "2001-01-01"}, "is over already"),
        ({"expires": "soon"}, "no time"),
    ],
)
def test_decisions_that_are_none_are_refused_before_anything_is_written(
    record: Record, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(WorkbenchError, match=says):
        publish(record, **options)
    assert not dashboards_root().exists()


def test_a_refused_version_changes_nothing(published: Published, other: Record) -> None:
    (other.outputs / "wave.npy").write_bytes(b"")
    with pytest.raises(WorkbenchError, match=r"wave.npy was changed"):
        republish(published.slug, other)
    assert Dashboard(dashboards_root() / published.slug).site["current"] == 1
    assert _left(dashboards_root()) == [published.slug]


def test_taken_down_is_gone_and_the_run_stays(published: Published, record: Record) -> None:
    before = fingerprint(record)
    assert unpublish("a1b2") == published.slug
    assert _left(dashboards_root()) == [] and fingerprint(record) == before
    with pytest.raises(WorkbenchError, match="unknown dashboard 'a1b2'"):
        unpublish("a1b2")
    assert publish(record).new


def test_names_are_short_but_never_guessed(published: Published, other: Record) -> None:
    publish(other)
    assert find("a1b2").slug == find(f"http://127.0.0.1:8866/d/{published.slug}/").slug == published.slug
    with pytest.raises(WorkbenchError, match=r"may mean 2 dashboards \(tiny-wave-a1b2, tiny-wave-c3d4\)"):
        find("tiny")
    with pytest.raises(WorkbenchError, match="unknown"):
        find("")


def _publish_in(folder: Path, number: int) -> None:
    publish(Record(folder), title="Title?")


def _publish_otherwise_in(folder: Path, number: int) -> None:
    try:
        publish(Record(folder), title=f"Title {number}?")
    except WorkbenchError as error:
        (folder.parent / f"refused {number}").write_text(str(error))


def _republish_in(slug: str, number: int) -> None:
    republish(slug, title=f"Title {number}?")


def _all_at_once(target: Callable[[Any, int], None], argument: Any) -> None:
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=target, args=(argument, n)) for n in range(4)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [p.exitcode for p in started] == [0] * 4


def test_who_publishes_at_the_same_time_shares_one_address(record: Record) -> None:
    _all_at_once(_publish_in, record.folder)
    assert _left(dashboards_root()) == ["tiny-wave-a1b2"]
    assert [b.number for b in Dashboard(dashboards_root() / "tiny-wave-a1b2").bundles] == [1]


def test_of_those_who_publish_with_other_words_one_comes_first_and_the_others_are_told(record: Record) -> None:
    _all_at_once(_publish_otherwise_in, record.folder)
    refused = [p.read_text() for p in record.folder.parent.glob("refused *")]
    assert len(refused) == 3 and all(
        "published already as tiny-wave-a1b2, with another title" in why for why in refused
    )


def test_who_republishes_at_the_same_time_gets_a_version_each(published: Published) -> None:
    _all_at_once(_republish_in, published.slug)
    standing = Dashboard(dashboards_root() / published.slug)
    assert [b.info["version"] for b in standing.bundles] == [1, 2, 3, 4, 5] and standing.site["current"] == 5
    assert len({b.info["title"] for b in standing.bundles}) == 5


def _killed_while_writing(folder: Path, number: signal.Signals) -> None:
    """Publish in a process that stops half way, and end it there."""
    program = (
        "import sys, time\nfrom genai4eu.cli import main\nfrom genai4eu.dashboards.publishing import content\n"
        "def wait(self, folder, slug, version):\n print('half', flush=True)\n time.sleep(60)\n"
        f"content.Content.name = wait\nsys.argv = ['genai4eu', 'publish', {str(folder)!r}]\nmain()"
    )
    process = subprocess.Popen([sys.executable, "-P", "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "half\n"
    assert [n for n in _left(dashboards_root()) if n.startswith(".aside-")]
    process.send_signal(number)
    process.wait(30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_stopped_leaves_nothing_behind(record: Record, number: signal.Signals) -> None:
    _killed_while_writing(record.folder, number)
    assert _left(dashboards_root()) == []


def test_what_a_killed_process_left_is_seen_by_nobody_and_cleared_up(record: Record) -> None:
    _killed_while_writing(record.folder, signal.SIGKILL)
    assert dashboard.all_dashboards(dashboards_root()) == [] and len(_left(dashboards_root())) == 1
    slug = publish(record).slug
    assert _left(dashboards_root()) == [slug]


def test_what_somebody_works_on_is_left_alone(tmp_path: Path) -> None:
    with aside.aside(tmp_path) as first:
        (first / "x").touch()
        with aside.aside(tmp_path):
            assert (first / "x").exists()
        ownerless = tmp_path / ".aside-old"
        ownerless.mkdir()
        os.utime(ownerless, (time.time() - 7200,) * 2)
        aside.sweep(tmp_path)
        assert not ownerless.exists() and (first / "x").exists()
    assert list(tmp_path.iterdir()) == []


def test_decisions_of_two_at_once_are_both_kept(published: Published) -> None:
    standing = Dashboard(dashboards_root() / published.slug)

    def decide(_: Any, number: int) -> None:
        for turn in range(20):
            standing.decide(**{f"from-{number}": turn})

    _all_at_once(decide, None)
    assert {standing.site[f"from-{n}"] for n in range(4)} == {19}


def test_a_notebook_shows_a_card_with_the_address(record: Record) -> None:
    made = genai4eu.publish(record, title="<script>alert(1)</script> " + "x" * 200)
    card = BeautifulSoup(made._repr_html_(), "html.parser")
    assert "/d/tiny-wave-a1b2/" in card.get_text() and "genai4eu serve" in card.get_text()
    assert card.find("script") is None and "<script>" in card.get_text()
    assert genai4eu.republish(made.slug, title="Plain?").version == 2
    assert genai4eu.unpublish(made.slug) == made.slug


def test_hostile_titles_stay_text_on_every_page(record: Record) -> None:
    title = '"><img src=x onerror=alert(1)>{{ 7 * 7 }}</title>'
    for name in ("index", "evidence"):
        page = BeautifulSoup(html(publish(record, title=title), name), "html.parser")
        assert page.find(onerror=True) is None and page.find("img", src="x") is None
        assert "{{ 7 * 7 }}" in page.get_text()


@pytest.mark.slow
def test_the_command_line(record: Record, other: Record, command_line: Cli) -> None:
    made = json.loads(command_line("publish", "a1b2", "--visibility", "private", "--json").stdout)
    assert (made["version"], made["visibility"], made["path"]) == (1, "private", "/d/tiny-wave-a1b2/")
    again = command_line("republish", "tiny", "c3d4")
    assert again.stdout.startswith("Published as version 2: tiny-wave-a1b2 in "), again.stderr
    assert "Version 2 is shown" in command_line("publish", "a1b2").stdout
    assert json.loads(command_line("republish", "tiny", "--version", "1", "--json").stdout)["current"] == 1
    seen = json.loads(
        command_line("republish", "tiny", "--visibility", "link", "--expires", "2999-01-31", "--json").stdout
    )
    assert seen["visibility"] == "link" and seen["expires"] and seen["link"].startswith("/l/")
    refused = command_line("unpublish", "tiny")
    assert refused.returncode == 1 and "say --yes" in refused.stderr
    assert json.loads(command_line("unpublish", "tiny", "--yes", "--json").stdout) == {"unpublished": "tiny-wave-a1b2"}
