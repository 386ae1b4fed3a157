"""All option groups in one list, for the process and for the sample-file generator."""

from oslo_config import cfg

from magnum.conf import (
    api,
    breaker,
    cloud,
    cluster_template,
    conductor,
    database,
    default,
    drivers,
    heat_client,
    heat_events,
    identity,
    lifecycle,
    placement,
    quotas,
    trust,
)

_MODULES = (
    default,
    api,
    breaker,
    cloud,
    cluster_template,
    conductor,
    database,
    drivers,
    heat_client,
    heat_events,
    identity,
    lifecycle,
    placement,
    quotas,
    trust,
)


def register_all(conf: cfg.ConfigOpts) -> None:
    """Register every option of ours."""
    for module in _MODULES:
        module.register_opts(conf)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Entry point ``oslo.config.opts``: what oslo-config-generator writes into the sample."""
    return [entry for module in _MODULES for entry in module.list_opts()]
