"""What the kernel's side tells of its environment is what Python itself would tell."""

from __future__ import annotations

import importlib.metadata
import json

from genai4eu.runs import kernel_packages


def test_packages_are_those_that_are_imported() -> None:
    expected: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        expected.setdefault(distribution.metadata["Name"], distribution.version)
    assert json.loads(kernel_packages.listing())["packages"] == expected
    assert len(expected) > 50
