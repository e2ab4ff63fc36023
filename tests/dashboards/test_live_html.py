"""HTML that a live kernel sends runs nothing, even in a browser that knows no policy; what it looks like stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from genai4eu.dashboards.serving.server import Server

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
PATIENCE = 90_000  # ms
HOSTILE = [
    "<img src=x onerror=alert('ran')>",
    "<script>alert('ran')</script>",
    "<details open ontoggle=alert('ran')>x</details>",
    "<svg onload=alert('ran')><style><img src=x onerror=alert('ran')></style></svg>",
    "<!--><img src=x onerror=alert('ran')>-->",
    "<noscript><p title=\"</noscript><img src=x onerror=alert('ran')>\"></noscript>",
    "<iframe srcdoc=\"<script>parent.alert('ran')</script>\"></iframe>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=alert(`ran`)&gt;'></table>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert('ran')>",
    "<a href=' jav&#x09;ascript:alert(`ran`)'>lead</a>",
    "<svg><a xlink:href=\"javascript:alert('ran')\"><text y=20>lead</text></a></svg>",
    "<input autofocus onfocus=alert('ran')>",
    "<meta http-equiv=refresh content='0;url=about:blank'>",
    "<object data=\"javascript:alert('ran')\"></object>",
    "<template><img src=x onerror=alert('ran')></template>",
    "<xmp><p title='</xmp><img src=x onerror=alert(`ran`)>'></xmp>",
]  # fmt: skip
CELLS = [
    ("parameters", "seed: int = 0"),
    ("dashboard", "# Is it there?"),
    (
        "dashboard",
        "from IPython.display import HTML, Markdown, SVG, Javascript, display\nimport ipywidgets as w\n"
        f"display(Markdown('Yes, in 2 of 2.'))\nhostile = {HOSTILE!r}\n"
        "slider, page, said = w.IntSlider(2, 0, 9, description='Height'), w.HTML('recorded'), w.Output()\n"
        "name, copy, maths = w.Text('', description='Name'), w.HTML(''), w.HTMLMath('')\n"
        "link = w.jslink((name, 'value'), (copy, 'value'))\n"
        "def show(change):\n"
        "    good = '<style>b.told { color: rgb(1, 2, 3) }</style><b class=\"told\">kept</b>'\n"
        "    page.value = maths.value = good + ''.join(hostile)\n"
        "    with said:\n"
        "        display(HTML(''.join(hostile)))\n"
        '        display(SVG(\'<svg xmlns="http://www.w3.org/2000/svg" onload="alert()"/>\'))\n'
        "        display(Javascript(\"alert('ran')\"))\n"
        "        display({'text/markdown': ''.join(hostile)}, raw=True)\n"
        "        print('to the', 'end')\n"  # two words: a traceback, which shows this line, is not the end
        "slider.observe(show, 'value')\ndisplay(w.VBox([slider, name, page, copy, maths, said]))",
    ),
]


def _watched(page: Page) -> list[str]:
    ran: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        ran.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    return ran


def test_a_kernels_html_runs_nothing_and_keeps_its_style(
    browser: Browser, served: Callable[[list[tuple[str, str]]], Server]
) -> None:
    server = served(CELLS)
    context = browser.new_context(bypass_csp=True)  # the policy alone would hold, and is not what is tried here
    page = context.new_page()
    ran = _watched(page)
    page.goto(f"{server.address}d/tiny-wave-a1b2/")
    expect(page.locator("html")).to_have_attribute("data-widgets", "ready", timeout=PATIENCE)
    page.get_by_label("Name").fill(HOSTILE[0])  # from one widget to another, with no kernel between
    page.get_by_label("Name").press("Enter")
    page.locator(".noUi-handle").press("ArrowRight")
    expect(page.locator(".widget-output")).to_contain_text("to the end", timeout=PATIENCE)
    for kind in (".widget-html-content", ".widget-htmlmath-content"):
        bold = page.locator(f"{kind} b.told").first
        expect(bold).to_have_text("kept")
        assert bold.evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    for link in page.locator("a", has_text="lead").all():
        link.dispatch_event("click")
    page.wait_for_timeout(1000)
    left = page.evaluate(
        "[...document.querySelectorAll('.bound *')].flatMap(e => [...e.attributes].filter(a => /^on/i.test(a.name))"
        ".map(a => e.outerHTML.slice(0, 200)))"
    )
    assert not ran and not left, (ran, left)
    assert page.locator(".bound script, .bound iframe, .bound object").count() == 0
    assert page.url.startswith(server.address)
    context.close()
