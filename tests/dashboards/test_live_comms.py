"""What a page may open in a kernel: nothing but the comm that asks for states; and what a widget takes from a page."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import WebSocketClosedError

from genai4eu.dashboards.dashboard import dashboards_root
from genai4eu.dashboards.publishing.publish import publish
from genai4eu.dashboards.serving.server import Server, running
from genai4eu.runs.record import Record

from ..benchmarks.viewers import Visitor
from .conftest import RUN, execute
from .live import BY_HAND, SLUG, closed, drawn, height, play, private

pytestmark = pytest.mark.slow
CONTROL = "jupyter.widget.control"
#: Says which targets the kernel has, and how many widgets, whenever it draws.
TELLS = (
    "def told():\n    import sys\n    from ipywidgets.widgets import widget\n"
    "    kernel = get_ipython().kernel\n"
    "    thrift = f'after each message {kernel.post_handler_hook.__module__}'\n"
    "    slow = 'with matplotlib' if 'matplotlib' in sys.modules else 'without matplotlib'\n"
    "    return [*kernel.comm_manager.targets, f'{len(widget._instances)} widgets', thrift, slow]\n"
)
TELLING = [
    (tag, source.replace("m; line'", "m; line; ' + ' '.join(told())").replace("def draw(", f"{TELLS}def draw("))
    for tag, source in BY_HAND
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with private(tmp_path_factory.mktemp("comms")) as house:
        publish(Record(execute(house / "runs" / RUN, TELLING)))
        with running(dashboards_root(), viewers=2) as started:
            yield started


def _alt(one: Visitor) -> str:
    """Return what the kernel said of itself in the alternative text of its last picture."""
    return str(re.findall(r'A wave of [^"\\]*', json.dumps(one.states))[0])


def _opened(target: str, module: str, name: str) -> dict[str, Any]:
    state = {"_model_module": "@jupyter-widgets/controls", "_model_module_version": "2.0.0", "_model_name": name,
             "_view_module": "@jupyter-widgets/controls", "_view_module_version": "2.0.0",
             "_view_name": name.replace("Model", "View"), "value": "__import__('os').system('true')"}  # fmt: skip
    data = {"state": state, "buffer_paths": []}
    return {"comm_id": uuid.uuid4().hex, "target_name": target, "target_module": module, "data": data}


def test_a_page_opens_no_target_of_a_kernel_but_the_one_that_tells_states(server: Server) -> None:
    async def scene() -> None:
        one = Visitor(f"{server.address}d/{SLUG}/")
        await one.attach()
        assert await drawn(one, 3)
        await one.learn()
        before = _alt(one)
        assert "jupyter.widget jupyter.widget.control" in before, before
        assert "after each message genai4eu.dashboards.live.thrift" in before, "it gives no memory back"
        assert "without matplotlib" in before, "an Explorer imports what this part does not draw with"
        targets = (
            "jupyter.widget",
            "jupyter.widget ",
            "JUPYTER.WIDGET",
            "jupyter.widget.version",
            "",
            "os",
            "matplotlib",
        )
        tries = [_opened(t, m, n) for t in targets for m, n in (("", "FileUploadModel"), ("os", "OutputModel"))]
        tries += [{"comm_id": "x", "data": {}}, {"comm_id": "x", "target_name": None}, {"target_name": [CONTROL]}]
        for content in tries:
            with contextlib.suppress(WebSocketClosedError):
                await one.say("comm_open", content, metadata={"version": "2.1.0"})
            assert await closed(one) == 1008, content
            await one.connect()
        assert await drawn(one, 4)
        await one.learn()
        assert _alt(one) == before.replace("A wave of 3", "A wave of 4"), "a widget was made"
        await one.leave()

    play(scene())


SAID: tuple[Any, ...] = (
    None, [], "x", {"method": "request_states", "state": 1}, {"method": "__class__"}, {"method": ["update"]},
    {"method": "update"}, {"method": "update", "state": []}, {"method": "update", "state": {"comm": "x"}},
    {"method": "update", "state": {"keys": ["comm"], "_trait_values": {"max": 1}, "__class__": "x"}},
    {"method": "update", "state": {"value": {"__reduce__": ["os.system", "true"]}}},
    {"method": "update", "state": {"value": 4}, "buffer_paths": [["__class__", "__init__"], [0], []]},
    {"method": "update", "state": {"layout": "IPY_MODEL_nothing", "_model_name": "OutputModel"}},
    {"method": "custom", "content": {"event": "click", "id": "x", "kind": "anywidget-command", "name": "__init__"}},
    {"method": "update", "state": {"value": 10**300}}, {"method": "update", "state": {"max": "9" * 10**5}},
)  # fmt: skip


def test_what_a_page_says_to_its_widgets_makes_none_and_ends_none(server: Server) -> None:
    async def scene() -> None:
        one = Visitor(f"{server.address}d/{SLUG}/")
        await one.attach()
        before = set(one.states)
        for data in SAID:
            for model in list(one.states):
                await one.say("comm_msg", {"comm_id": model, "data": data})
            await one.say("comm_msg", {"comm_id": "nothing", "data": data})
            await one.learn()
            assert before <= set(one.states), data
            assert {told["model_name"] for told in one.states.values()} == {
                told["model_name"] for name, told in one.states.items() if name in before
            }, data
            for value in (2, 5):  # the first may be what it is
                await one.move(height(one), value=value)
            await one.learn()
            assert "A wave of 5 m" in _alt(one), data
        await one.leave()

    play(scene())


def test_what_no_page_may_open_makes_widgets_where_nothing_stops_it(tmp_path: Path) -> None:
    """Without our filter a page could make any registered widget, so that the filter is what this rests on."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        client.execute_interactive("import ipywidgets, genai4eu.widgets", timeout=60)
        content = _opened("jupyter.widget", "", "FileUploadModel")
        del content["data"]["state"]["value"]
        client.shell_channel.send(client.session.msg("comm_open", content, metadata={"version": "2.1.0"}))
        told: list[str] = []
        client.execute_interactive(
            f"print(type(ipywidgets.widgets.widget._instances[{content['comm_id']!r}]).__name__)", timeout=60,
            output_hook=lambda message: told.append(str(message["content"].get("text", ""))),
        )  # fmt: skip
        assert "".join(told).strip() == "FileUpload"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
