"""Options of the bays' own users: their domain, their roles, and how nodes reach Keystone and this service."""

from oslo_config import cfg

GROUP = cfg.OptGroup("trust", title="The bays' own users")

OPTS: list[cfg.Opt] = [
    cfg.StrOpt(
        "trustee_domain_id",
        help="Id of the Keystone domain that holds the bays' own users. Such a user, whose "
        "credential lies on a bay's nodes, may do only what rules say by name.",
    ),
    cfg.StrOpt("trustee_domain_name", help="Name of that domain, where its id is not given."),
    cfg.ListOpt(
        "roles",
        default=["member"],
        help="Roles of a bay's own user in the bay's project. Without one it cannot log in there.",
    ),
    cfg.StrOpt(
        "trustee_keystone_interface",
        default="public",
        choices=("public", "internal", "admin"),
        help="Interface of the endpoints of Keystone and of this service that nodes are told.",
    ),
    cfg.StrOpt(
        "trustee_keystone_region_name",
        help="Region of these endpoints; unset means that of [keystone_auth].",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their group, for the sample generator."""
    return [(GROUP.name, OPTS)]
