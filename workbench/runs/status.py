"""The words for how a run or a cell ended. What decides between them is in ``endings``."""

from __future__ import annotations

from typing import Literal

Status = Literal["pending", "running", "completed", "failed", "died", "timeout", "cancelled", "preempted", "not run"]

#: A run whose status is one of these is over.
FINAL: frozenset[str] = frozenset({"completed", "failed", "died", "timeout", "cancelled", "preempted"})
#: Ends that say nothing about the notebook: another attempt may do better.
RETRIED: frozenset[str] = frozenset({"died", "preempted"})
