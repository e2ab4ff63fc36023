"""What cells print: in the notebook while it is short; of a long text head and tail, and all, to a cap, in a file.

Called by the client for every piece that a kernel prints.
"""

from __future__ import annotations

import hashlib
from collections import deque
from io import FileIO
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from .large import KEY, LIMIT

#: Characters of a long text that the notebook shows of its beginning, and of its end.
HEAD = TAIL = 20_000
#: Bytes of printed text that one run may keep in files.
CAP = 100_000_000


class Text:
    """One stream of one cell.

    Attributes
    ----------
    output : NotebookNode or None
        The output that grows; another one begins when something else was shown in between.
    """

    def __init__(self, path: Path, budget: list[int]) -> None:
        self._path = path
        self._budget = budget  # bytes that the run may still keep, shared by its streams
        self._file: FileIO | None = None
        self._hash = hashlib.sha256()
        self._earlier: list[str] = []
        self._parts: list[str] = []
        self._tail: deque[str] = deque()
        self._tailed = 0
        self._inline = self._begins = self._size = self._kept = self._left_out = self.printed = 0
        self.output: NotebookNode | None = None

    @property
    def long(self) -> bool:
        """Whether the text goes to a file."""
        return self._file is not None

    def begin(self, name: str) -> NotebookNode:
        """Begin another output."""
        if self.output is not None:
            self.settle()
            self._earlier.append(self.output["text"])
        self._parts = []
        self.output = NotebookNode(output_type="stream", name=name, text="")
        return self.output

    def add(self, text: str) -> None:
        """Take a piece of text."""
        self.printed += len(text)
        if self.long:
            self._spool(text)
            return
        self._parts.append(text)
        self._inline += len(text)
        if self._inline > LIMIT:
            self._grow_long()

    def _grow_long(self) -> None:
        """Move what was printed so far to a file, but for the head."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("wb", buffering=0)  # what counts as kept is there, also on a disk that fills up
        earlier = "".join(self._earlier)
        whole = "".join(self._parts)
        self._write(earlier)
        self._begins = self._kept
        self._parts = [whole[:HEAD]]
        self._write(whole[:HEAD])
        self._spool(whole[HEAD:])

    def _spool(self, text: str) -> None:
        self._write(text)
        self._tail.append(text[-TAIL:])
        self._tailed += len(self._tail[-1])
        while self._tailed - len(self._tail[0]) >= TAIL:
            self._tailed -= len(self._tail.popleft())

    def _write(self, text: str) -> None:
        content = text.encode(errors="backslashreplace")
        kept = content[: self._budget[0]]
        self._budget[0] -= len(kept)
        before = self._size
        try:
            self._put(kept)
        except OSError:
            self._kept += self._size - before
            self._left_out += len(content) - (self._size - before)
            raise
        self._kept += len(kept)
        if len(kept) < len(content):
            if not self._left_out:  # said at once: the file tells it even where the run does not live to its end
                self._put(
                    f"\n… genai4eu: of what a run prints {_size(CAP)} are kept; what came after is not …\n".encode()
                )
            self._left_out += len(content) - len(kept)

    def _put(self, content: bytes) -> None:
        assert self._file is not None
        rest = memoryview(content)
        while rest:
            done = rest[: self._file.write(rest)]
            self._size += len(done)
            self._hash.update(done)
            rest = rest[len(done) :]

    def settle(self) -> None:
        """Write into the output what the notebook shows."""
        if self.output is None:
            return
        text = "".join(self._parts)
        self._parts = [text]
        if self._file is not None:
            text += self._note() + "".join(self._tail)[-TAIL:] + self._end()
        self.output["text"] = text

    def _note(self) -> str:
        said = self._cut() if self._left_out else f"all of it, {_size(self._kept)}, is in {self._name}"
        return f"\n\n… genai4eu: a long text, its middle is left out here; {said} …\n\n"

    def _end(self) -> str:
        """Return the last line of a text that was not kept whole: who sees its end alone sees it too."""
        return (
            f"\n… genai4eu: {_size(self._kept + self._left_out)} printed; {self._cut()} …\n" if self._left_out else ""
        )

    def _cut(self) -> str:
        return f"the first {_size(self._kept)} are in {self._name}, the rest was not kept"

    @property
    def _name(self) -> str:
        return f"{self._path.parent.name}/{self._path.name}"

    def about(self) -> dict[str, Any]:
        """Return what the cell says of the file."""
        return {"file": self._name, "sha256": self._hash.hexdigest(), "size": self._size, "begins": self._begins,
                "left_out": self._left_out}  # fmt: skip

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def drop(self) -> None:
        """Remove the file: the cell cleared its output."""
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)
            self._budget[0] += self._kept


class Streams:
    """The streams of the cells of one execution.

    Parameters
    ----------
    folder : Path
        Where long texts go; made with the first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._budget = [CAP]
        self._texts: dict[tuple[int, str], Text] = {}

    def add(self, outputs: list[NotebookNode], index: int, content: dict[str, Any]) -> None:
        """Take what the cell of this index printed; it belongs to its last output, if that is of the same stream."""
        name = content["name"]
        text = self._texts.get((index, name))
        if text is None:
            path = self._folder / f"cell-{index:04}-{name}.txt"
            text = self._texts[index, name] = Text(path, self._budget)
        if not text.long and not (outputs and outputs[-1] is text.output):
            outputs.append(text.begin(name))
        text.add(content["text"])

    def settle(self, cell: NotebookNode, index: int) -> None:
        """Write into the cell's outputs, and its metadata, what the notebook shows."""
        texts = [text for (number, _), text in self._texts.items() if number == index]
        for text in texts:
            text.settle()
        long = [t for t in texts if t.long]
        others = [a for a in cell.metadata.get(KEY, {}).get("large", []) if "begins" not in a]
        if long or others:
            found = [{**t.about(), "output": _position(cell.outputs, t.output)} for t in long]
            cell.metadata.setdefault(KEY, {})["large"] = others + found

    def cleared(self, index: int) -> None:
        """Begin anew: the cell cleared its output."""
        for key in [k for k in self._texts if k[0] == index]:
            self._texts.pop(key).drop()

    def ended(self, index: int) -> None:
        """Let go of a cell that is over."""
        for key in [k for k in self._texts if k[0] == index]:
            self._texts.pop(key).close()


def _position(outputs: list[NotebookNode], output: NotebookNode | None) -> int:
    return next(i for i, o in enumerate(outputs) if o is output)


def _size(count: int) -> str:
    number, unit = (count / 1e9, "GB") if count >= 1e9 else (count / 1e6, "MB")
    return f"{number:.1f}".removesuffix(".0") + f" {unit}"
