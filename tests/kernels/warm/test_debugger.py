"""The debugger of JupyterLab, as its client: a breakpoint in a cell of a warm kernel is reached, seen and left."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ...stack import ALL as LEFT_OUT  # noqa: F401  # kernels are looked at, and not what they compute
from .conftest import Kernel

pytestmark = pytest.mark.slow

CELL = "total = 0\nfor number in range(3):\n    total += number\nprint(total)"


class Debugger:
    def __init__(self, kernel: Kernel) -> None:
        self.client, self.number = kernel.client, itertools.count(1)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a request over the control channel and return the answer to it."""
        content = {"type": "request", "seq": next(self.number), "command": command, "arguments": arguments}
        message = self.client.session.msg("debug_request", content)
        self.client.control_channel.send(message)
        while True:
            reply = self.client.control_channel.get_msg(timeout=20)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return dict(reply["content"])

    def event(self, name: str) -> dict[str, Any]:
        while True:
            message = self.client.get_iopub_msg(timeout=20)
            if message["msg_type"] == "debug_event" and message["content"]["event"] == name:
                return dict(message["content"])


def test_a_breakpoint_is_reached(kernel: Kernel) -> None:
    debugger = Debugger(kernel)
    assert debugger.ask("debugInfo")["body"]["isStarted"] is False
    about = {"clientID": "test", "adapterID": "", "linesStartAt1": True, "columnsStartAt1": True, "pathFormat": "path"}
    assert debugger.ask("initialize", **about)["success"]
    assert debugger.ask("attach")["success"]
    source = debugger.ask("dumpCell", code=CELL)["body"]["sourcePath"]
    found = debugger.ask("setBreakpoints", breakpoints=[{"line": 3}], source={"path": source}, sourceModified=False)
    assert found["body"]["breakpoints"][0]["verified"]
    debugger.ask("configurationDone")
    request = kernel.client.execute(CELL)
    for _ in range(3):
        thread = debugger.event("stopped")["body"]["threadId"]
        frames = debugger.ask("stackTrace", threadId=thread)["body"]["stackFrames"]
        assert frames[0]["line"] == 3 and frames[0]["source"]["path"] == source
        assert debugger.ask("continue", threadId=thread)["success"]
    reply = kernel.client.get_shell_msg(timeout=20)
    assert reply["parent_header"]["msg_id"] == request and reply["content"]["status"] == "ok"
    assert debugger.ask("disconnect", restart=False, terminateDebuggee=False)["success"]
    assert kernel.value("total") == 3
