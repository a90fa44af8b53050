"""Numbers for Prometheus, in a registry of the service's own. No label ever holds a text.

Labels come from closed sets (declared routes, statuses, taxonomy ids), so the number of series is
bounded. Their children are looked up once: ``labels()`` costs more than counting does.
"""

import math
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

from serving.answers import Answer
from serving.drift import Drift

#: Seconds. A message takes some milliseconds, so the steps are fine up to 100 ms, where a p99 is read;
#: a batch of 256 takes some seconds.
_SECONDS = (
    *(0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08),
    *(0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


class Metrics:
    """What the service counts and times.

    ``request``, ``answered``, ``count_asked`` and the ``observe`` of the seconds are called where these
    things happen.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self.requests = Counter(
            "canhgiac_requests", "Requests answered.", ["route", "status"], registry=registry
        )
        self.seconds = _seconds("canhgiac_request_seconds", "From request to answer.", registry, "route")
        self.queue_seconds = _seconds("canhgiac_queue_seconds", "Waiting for the model.", registry)
        self.model_seconds = _seconds("canhgiac_model_seconds", "With the model.", registry)
        self.waiting = Gauge("canhgiac_waiting", "Conversations waiting for the model.", registry=registry)
        self.cache = Counter(
            "canhgiac_cache",
            "Judgments looked for: hit or miss.",
            ["result"],
            registry=registry,
        )
        self.verdicts = Counter(
            "canhgiac_verdicts", "Conversations classified.", ["verdict", "category"], registry=registry
        )
        self.review_queue = Gauge(
            "canhgiac_review_queue", "Messages waiting for an annotator.", registry=registry
        )
        self.model = Gauge("canhgiac_model", "The model that serves.", ["version"], registry=registry)
        self.loads = Counter(
            "canhgiac_model_loads", "Model folders loaded: ok or failed.", ["result"], registry=registry
        )
        self.webhooks_pending = Gauge(
            "canhgiac_webhooks_pending", "Webhook events that wait for delivery.", registry=registry
        )
        self.webhooks = Counter(
            "canhgiac_webhooks", "Attempts to deliver an event.", ["outcome"], registry=registry
        )
        self.drift = Drift()
        self._score_drift = Gauge(
            "canhgiac_score_drift",
            "Stability index of scores against training; NaN until it can be told.",
            registry=registry,
        )
        self._category_drift = Gauge(
            "canhgiac_category_drift",
            "Stability index of categories against training; NaN until it can be told.",
            registry=registry,
        )
        for result in ("ok", "failed"):
            self.loads.labels(result)  # a rate needs a zero to start from
        self._hits, self._misses = self.cache.labels("hit"), self.cache.labels("miss")
        self._request = cache(self._children)
        self._refused = cache(lambda status: self.requests.labels("refused", str(status)))
        self._verdict = cache(self.verdicts.labels)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request under its declared route."""
        counter, histogram = self._request(route, status)
        counter.inc()
        histogram.observe(seconds)

    def answered(self, answer: Answer) -> None:
        """Count an answer, and remember its score and category for the drift; no text is kept."""
        self._verdict(answer.verdict, answer.category.id).inc()
        self.drift.observe(answer.model.version, answer.score, answer.category.id)

    def count_refused(self, status: int) -> None:
        """Count a request that found no place; no route was looked for."""
        self._refused(status).inc()

    def count_load(self, ok: bool) -> None:
        """Count a model that was put in service or refused."""
        self.loads.labels("ok" if ok else "failed").inc()

    def count_asked(self, hit: bool) -> None:
        """Count a look into the cache."""
        (self._hits if hit else self._misses).inc()

    def tell_drift(self, version: str | None) -> None:
        """Set the drift gauges to those of the model that serves."""
        found = self.drift.of(version)
        self._score_drift.set(found.score if found else math.nan)
        self._category_drift.set(found.category if found else math.nan)

    def _children(self, route: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(route, str(status)), self.seconds.labels(route)


def _seconds(name: str, what: str, registry: CollectorRegistry, *labels: str) -> Histogram:
    return Histogram(name, what, labels, registry=registry, buckets=_SECONDS)
