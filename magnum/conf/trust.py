"""Options of the domain that bays' own users live in."""

from oslo_config import cfg

GROUP = cfg.OptGroup("trust", title="The domain of bays' own users")

OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "trustee_domain_id",
        help="Id of the Keystone domain that holds the bays' own users. Such a user, whose "
        "credential lies on a bay's nodes, may do only what rules say by name.",
    ),
    cfg.StrOpt("trustee_domain_name", help="Name of that domain, where its id is not given."),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
