"""Metrics: what is counted as what, and that the operators' page has every one of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics_core import Metric

from magnum.api.middleware.measured import Measured
from magnum.common import metrics
from magnum.conf import CONF
from magnum.db.figures import Figures
from magnum.lifecycle import figures

PAGE = Path(__file__).parents[4] / "doc" / "source" / "operators" / "metrics.rst"
FIGURES = Figures({("create", "BLOCKED", "user"): 1}, {("CREATE_COMPLETE", "HEALTHY"): 2}, 5.0, 1)


def sample(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


def ours() -> Iterator[Metric]:
    """Every metric that a process of ours can show."""
    yield from (one for one in metrics.REGISTRY.collect() if one.name.startswith("magnum_"))
    yield from figures.Breakers().collect()
    yield figures.database_answers(False)
    yield from figures.families(FIGURES)


def labels_of(metric: Metric) -> tuple[str, ...]:
    collectors = metrics.REGISTRY._names_to_collectors
    known = getattr(collectors.get(metric.name), "_labelnames", None)
    return tuple(known if known is not None else getattr(metric, "_labelnames", ()))


def entry(metric: Metric) -> str:
    """How the page tells a metric: its name as Prometheus knows it, its labels, its kind, its help."""
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    labels = "".join(f", ``{label}``" for label in labels_of(metric))
    return f"``{name}`` ({metric.type}{labels})\n    {metric.documentation}\n"


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_page_has_every_metric_as_it_is() -> None:
    page = PAGE.read_text()
    missing = [entry(one) for one in ours() if plain(entry(one)) not in plain(page)]
    assert not missing, "put into doc/source/operators/metrics.rst:\n" + "\n".join(missing)


def test_the_page_has_no_other_metric() -> None:
    told = {
        line.split("``")[1] for line in PAGE.read_text().splitlines() if line[:9] == "``magnum_"
    }
    assert told == {entry(one).split("``")[1] for one in ours()}


def test_an_operation_is_counted_by_verb_and_outcome() -> None:
    before = sample("magnum_operation_seconds_count", verb="create", outcome="DONE")
    metrics.operation_ended("create", "DONE", 42.0)
    assert sample("magnum_operation_seconds_count", verb="create", outcome="DONE") == before + 1
    assert (
        sample("magnum_operation_seconds_bucket", verb="create", outcome="DONE", le="30.0")
        <= before
    )


@pytest.mark.parametrize(
    ("method", "status", "labels"),
    [
        ("GET", "200 OK", {"method": "GET", "status": "200"}),
        ("BREW", "404 Not Found", {"method": "other", "status": "404"}),
        ("GET", "799 What", {"method": "GET", "status": "other"}),
    ],
)
def test_a_request_is_counted(method: str, status: str, labels: dict[str, str]) -> None:
    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response(status, [])
        return [b""]

    before = sample("magnum_api_request_seconds_count", **labels)
    Measured(app)({"REQUEST_METHOD": method}, lambda *_: lambda _: None)
    assert sample("magnum_api_request_seconds_count", **labels) == before + 1


def test_nothing_is_shown_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a server was started")

    monkeypatch.setattr(metrics, "start_http_server", fail)
    assert CONF.metrics.port == 0
    metrics.serve("api")
