"""The RunTable: what it is told, what it refuses, what is left without a script, and used in Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from genai4eu.widgets import RunTable

from .conftest import each_look, look, open_panel, without_barriers

ABOUT = {"dice": {"better": "higher"}, "loss": {"better": "lower"}, "time": {"unit": "s"}}


def _run(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"20261127-1200{number:02}-study-{number:04x}", "template": "health-imaging" if number % 3 else "<b>own",
        "title": "Study", "status": "completed" if number % 5 else "failed", "target": "genai4eu",
        "started": f"2026-11-27T12:{number // 60 % 60:02}:{number % 60:02}+00:00", "duration": 60.0 + number,
        "error": "" if number % 5 else "ValueError: <no> data",
        "parameters": {"seed": number, "sites": ["A", "B"], "rate": 0.1},
        "metrics": {"dice": 0.5 + number / 1000, "loss": 1 / (number + 1), "time": float(number), "bias": None}, **more,
    }  # fmt: skip


RUNS = [_run(n) for n in range(12)]


def test_metrics_that_most_have_are_columns_and_what_is_no_number_is_undefined() -> None:
    table = RunTable([*RUNS, _run(12, metrics={"dice": float("nan"), "odd": 1.0})], ABOUT)
    assert table.columns == ["metric:dice", "metric:loss", "metric:time"]
    assert table.runs[-1]["metrics"] == {"dice": None, "odd": 1.0} and table.sentence == "Runs: 13"


@pytest.mark.parametrize(
    ("runs", "more", "said"),
    [
        ([{"title": "x"}], {}, "a run has no id"),
        ([RUNS[0], RUNS[0]], {}, "two runs are called 20261127-120000"),
        ([_run(1, link="javascript:alert(1)")], {}, "'javascript:alert\\(1\\)' is no address of a page"),
        ([_run(1, parameters={"day": object()})], {}, "0001 holds what is no plain data"),
        ([_run(1, parameters={"rate": float("nan")})], {}, "0001 holds what is no plain data"),
        (RUNS, {"chosen": ["x"]}, "there is no run 'x'"),
        (RUNS, {"chosen": [r["id"] for r in RUNS]}, "12 runs are chosen: choose at most 10"),
        (RUNS, {"about": {"dice": {"better": "more"}}}, "metric dice: better is 'higher' or 'lower', not 'more'"),
        (RUNS, {"words": {"titel": "Läufe"}}, "has no word 'titel': use title"),
    ],
)
def test_it_refuses_in_one_line(runs: Any, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RunTable(runs, **more)


def test_without_a_script_the_first_runs_are_left() -> None:
    bundle = RunTable([_run(n) for n in range(60)], words={"title": "Läufe"})._repr_mimebundle_()[0]
    assert "<caption>Läufe</caption>" in bundle["text/html"] and "&lt;b&gt;own" in bundle["text/html"]
    assert bundle["text/html"].count("<tr>") == 51 and "The first 50 of 60 runs." in bundle["text/html"]


def test_without_a_script_the_chosen_ones_are_side_by_side() -> None:
    table = RunTable(RUNS)
    assert "Parameters that differ" not in table.value
    table.chosen = [RUNS[2]["id"], RUNS[1]["id"]]
    _, parameters, metrics = table.value.split("<caption>")[1:]
    assert parameters.startswith("Parameters that differ") and "sites" not in parameters
    assert '<th scope="row">seed</th><td>2</td><td>1</td>' in parameters
    assert '<th scope="row">dice</th><td>0.502</td><td>0.501</td>' in metrics


def test_it_answers_a_page_that_asks_and_tells_what_fails() -> None:
    def show(name: str) -> str:
        if name == RUNS[1]["id"]:
            raise OSError("disk gone")
        return f"<p>{name}</p>"

    table = RunTable(RUNS, show=show, refresh=lambda: [*RUNS, _run(12)])
    table._told(table, {"open": RUNS[0]["id"]}, [])
    assert table.record == f"<p>{RUNS[0]['id']}</p>"
    table._told(table, {"open": "../../etc/passwd"}, [])
    assert table.record == f"<p>{RUNS[0]['id']}</p>" and not table.trouble
    table._told(table, {"open": RUNS[1]["id"]}, [])
    assert table.trouble == "That could not be shown: disk gone"
    table._told(table, {"ask": "runs"}, [])
    assert len(table.runs) == 13 and not table.trouble and RUNS[0]["id"] in table.value


def _ids(page: Page) -> list[int]:
    ids = page.locator(".runs [role=rowheader]").all_inner_texts()
    return [int(text.strip()[-4:], 16) for text in ids]


def _sift(page: Page, query: str) -> list[int]:
    page.get_by_label("Look for").fill(query)
    return _ids(page)


def _choose_all(page: Page) -> None:
    for box in page.locator(".runs input").all():
        if not box.is_checked():
            box.press("Space")


@pytest.mark.chromium
@pytest.mark.slow
def test_it_sorts_and_sifts(browser: Browser, tmp_path: Path) -> None:
    table = RunTable([_run(n) for n in range(60)], ABOUT)
    page = look(browser, 1280, "light")
    faults = open_panel(page, tmp_path, table, frozen=True)
    expect(page.get_by_text("60 of 60 runs")).to_be_visible()
    assert _ids(page) == list(range(59, 34, -1))  # the newest first, a page of them
    page.get_by_role("button", name="Next").press("Enter")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert _ids(page) == list(range(9, -1, -1)) and page.get_by_text("Page 3 of 3").is_visible()
    heading = page.get_by_role("button", name="loss")
    heading.press("Enter")
    assert _ids(page)[:2] == [59, 58] and page.locator("[aria-sort=ascending]").inner_text() == "loss ▲"
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="loss")).to_be_focused()
    assert _ids(page)[:2] == [0, 1]
    assert _sift(page, "dice>=0.555 failed") == [55]
    assert (
        _sift(page, "seed=7") == [7]
        and _sift(page, "time<2 time!=0") == [1]
        and _sift(page, "<no>") == [*range(0, 60, 5)]
    )
    assert _sift(page, "nothing") == [] and page.get_by_text("0 of 60 runs").is_visible()
    _sift(page, "")
    page.get_by_label("Status").select_option("failed")
    page.get_by_label("Template").select_option("<b>own")
    assert _ids(page) == [0, 15, 30, 45]
    page.get_by_text("Columns").click()
    page.get_by_role("checkbox", name="sites").check()
    expect(page.get_by_role("cell", name='["A","B"]')).to_have_count(4)
    without_barriers(page, faults)
    page.close()


@pytest.mark.chromium
@pytest.mark.slow
def test_two_to_ten_are_compared_without_a_kernel(browser: Browser, tmp_path: Path) -> None:
    runs = [*RUNS[:11], _run(11, units={"time": "min"}, link="https://records.example/11")]
    table = RunTable(runs, ABOUT, show=lambda name: "")
    for page, width, colours in each_look(browser):
        faults = open_panel(page, tmp_path, table, frozen=True)
        act = page.get_by_role("button", name="Choose two to ten runs to compare")
        expect(act).to_have_attribute("aria-disabled", "true")
        act.press("Enter")
        for number in (11, 10, 9):  # all in sight, also on a phone
            page.get_by_role("checkbox", name=f"Compare {runs[number]['id']}").press("Space")
        page.get_by_role("button", name="Compare 3 runs").press("Enter")
        expect(page.get_by_text("3 runs side by side")).to_be_focused()
        metrics = page.get_by_role("group", name="Metrics, and how far they are from run A")
        rows = [" | ".join(r.locator("th, td").all_inner_texts()) for r in metrics.locator("tbody tr").all()]
        assert rows == [
            "dice | 1 | 0.511 | 0.51 −0.001 worse | 0.509 −0.002 worse",
            "loss | 1 | 0.08333 | 0.09091 +0.007576 worse | 0.1 +0.01667 worse",
            "time | min, s | 11 | 10 | 9",  # in other units: no difference
            "bias | 1 | undefined | undefined | undefined",
        ]
        page.get_by_label("Hold the metrics against").select_option("2")
        against = page.get_by_role("group", name="from run C").get_by_role("row", name="dice")
        expect(against).to_have_text("dice10.511 +0.002 better0.51 +0.001 better0.509")
        expect(page.get_by_role("group", name="Parameters that differ").get_by_role("row")).to_have_text(
            ["ParameterABC", "seed11109"]
        )
        page.get_by_text("2 parameters that are the same in all").click()
        expect(page.get_by_role("link", name=runs[11]["id"]).first).to_have_attribute(
            "href", "https://records.example/11"
        )
        page.get_by_role("button", name=runs[10]["id"]).first.press("Enter")
        expect(page.get_by_text("For this, a kernel must be running.")).to_be_visible()
        assert page.evaluate("window.sent") == [] and len(page.evaluate("window.state.chosen")) == 3
        page.screenshot(path=tmp_path / f"runtable-{width}-{colours}.png", full_page=True)
        without_barriers(page, faults)
        if width == 320:
            _choose_all(page)
            page.get_by_role("button", name="Next").press("Enter")
        _choose_all(page)
        assert len(page.evaluate("window.state.chosen")) == 10
        expect(page.get_by_text("10 runs fit side by side: take one out first.")).to_be_visible()
        without_barriers(page, faults)


@pytest.mark.chromium
@pytest.mark.slow
def test_thousands_of_runs_put_few_rows_on_the_page(browser: Browser, tmp_path: Path) -> None:
    many = [_run(n, id=f"run-{n:04x}") for n in range(5000)]
    page = look(browser, 1280, "light")
    faults = open_panel(page, tmp_path, RunTable(many, ABOUT))
    assert _sift(page, "dice>5.4")[:1] == [4999] and page.get_by_text("99 of 5,000 runs").is_visible()
    assert page.locator("tbody tr").count() == 25
    page.get_by_role("button", name="Look again").wait_for(state="hidden")
    page.get_by_role("button", name="dice").click()
    assert _ids(page)[0] == 4901 and not faults
    page.close()
