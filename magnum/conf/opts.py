"""All option groups in one list, for the process and for the sample-file generator."""

from oslo_config import cfg

from magnum.conf import (
    api,
    breaker,
    certificates,
    cloud,
    cluster_template,
    conductor,
    database,
    default,
    drivers,
    health,
    heat_client,
    heat_events,
    identity,
    lifecycle,
    metrics,
    placement,
    quotas,
    trust,
    x509,
)

_MODULES = (
    default,
    api,
    breaker,
    certificates,
    cloud,
    cluster_template,
    conductor,
    database,
    drivers,
    health,
    heat_client,
    heat_events,
    identity,
    lifecycle,
    metrics,
    placement,
    quotas,
    trust,
    x509,
)


def register_all(conf: cfg.ConfigOpts) -> None:
    """Register every option of ours."""
    for module in _MODULES:
        module.register_opts(conf)


def check(conf: cfg.ConfigOpts) -> None:
    """Read every option of ours once: oslo.config looks at a value only when somebody asks for it.

    :raises cfg.ConfigFileValueError: for a value that its option does not take; it names both.
    """
    for group, options in list_opts():
        values = conf if group == "DEFAULT" else conf[group]
        for option in options:
            # Options of the kinds of authentication are listed, and read by keystoneauth alone.
            if option.dest in values:
                values[option.dest]


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Entry point ``oslo.config.opts``: what oslo-config-generator writes into the sample."""
    return [entry for module in _MODULES for entry in module.list_opts()]
