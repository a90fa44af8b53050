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
        self.batches = Histogram(
            "canhgiac_batch_size",
            "Conversations that went through the model together.",
            registry=self.registry,
            buckets=(1, 2, 4, 8, 16),
        )
        self.waiting = Gauge(
            "canhgiac_waiting", "Conversations waiting for the model.", registry=self.registry
        )
        self.review_queue = Gauge(
            "canhgiac_review_queue", "Messages waiting for an annotator.", registry=self.registry
        )
        self.model = Gauge("canhgiac_model", "The model that serves.", ["version"], registry=self.registry)
        self.webhooks_pending = Gauge(
            "canhgiac_webhooks_pending", "Webhook events that wait for delivery.", registry=self.registry
        )
        self.webhooks = Counter(
            "canhgiac_webhooks", "Attempts to deliver an event.", ["outcome"], registry=self.registry
        )
