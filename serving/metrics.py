"""Numbers for Prometheus, in a registry of the service's own. No label ever holds a text."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

#: Seconds; a message takes milliseconds, a batch of 256 some seconds.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """What the service counts and times."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "canhgiac_requests", "Requests answered.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "canhgiac_request_seconds",
            "From request to answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.verdicts = Counter(
            "canhgiac_verdicts", "Conversations classified.", ["verdict"], registry=self.registry
        )
        self.queue_seconds = Histogram(
            "canhgiac_queue_seconds",
            "From the queue to the model.",
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.cache = Counter("canhgiac_cache", "Judgments looked for.", ["result"], registry=self.registry)
        self.waiting = Gauge(
            "canhgiac_waiting", "Conversations waiting for the model.", registry=self.registry
        )
        self.review_queue = Gauge(
            "canhgiac_review_queue", "Messages waiting for an annotator.", registry=self.registry
        )
        self.model = Gauge("canhgiac_model", "The model that serves.", ["version"], registry=self.registry)

    def count_asked(self, hit: bool) -> None:
        """Count a look into the cache."""
        self.cache.labels("hit" if hit else "miss").inc()
