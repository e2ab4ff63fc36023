"""Figures about the gateway for Prometheus, in a registry of its own. Fed by handlers and managers."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric


class Kernels:
    """Counts the kernels when asked, so that the figure is never stale. ``source`` yields (user, kernelspec)."""

    def __init__(self, source: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self._source = source

    def collect(self) -> Iterable[Metric]:
        """Return the figure. Called by prometheus_client."""
        family = GaugeMetricFamily("genai4eu_kernels", "Kernels, wanted and alive", labels=["user", "kernelspec"])
        for labels, count in Tally(self._source()).items():
            family.add_metric(labels, count)
        yield family


class Meters:
    """All figures of one gateway."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.starts = Counter("genai4eu_starts", "Kernels started", ["kernelspec", "result"], registry=registry)
        self.ends = Counter("genai4eu_ends", "Kernels ended", ["reason"], registry=registry)
        self.refusals = Counter("genai4eu_refusals", "Requests refused", ["reason"], registry=registry)
        self.seconds = Histogram(
            "genai4eu_request_seconds", "Time to answer", ["handler", "method", "status"], registry=registry
        )
        ProcessCollector(registry=registry)

    def count(self, kernels: Callable[[], Iterable[tuple[str, str]]], sockets: Callable[[], float]) -> None:
        """Say where kernels and WebSockets can be counted."""
        self._registry.register(Kernels(kernels))
        Gauge("genai4eu_websockets", "WebSockets open", registry=self._registry).set_function(sockets)

    def page(self) -> bytes:
        """Return what Prometheus reads."""
        return generate_latest(self._registry)
