"""Options of the service's own identity: its credential, and what it grants itself in a bay's project."""

from keystoneauth1 import loading
from oslo_config import cfg

AUTH_GROUP = "keystone_auth"
GROUP = cfg.OptGroup("identity", title="The service's own identity in a bay's project")

AUTH_OPTS: list[cfg.Opt] = [
    cfg.StrOpt("region_name", help="Region of the cloud's services; unset means the only one."),
]

OPTS: list[cfg.Opt] = [
    cfg.BoolOpt(
        "grant_roles",
        default=True,
        help=(
            "Whether the service grants itself [identity]/granted_roles in a bay's project, and takes them back "
            "with the last bay. Turn it off where the service user has an inherited role on the domain."
        ),
    ),
    cfg.ListOpt(
        "granted_roles",
        default=["member", "heat_stack_owner"],
        help="Roles that the service user needs in a bay's project to run Heat stacks there.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=30.0,
        min=1,
        help="Seconds until one call to Keystone is given up.",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options on a configuration."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
    conf.register_opts(AUTH_OPTS, group=AUTH_GROUP)
    loading.register_session_conf_options(conf, AUTH_GROUP)
    loading.register_auth_conf_options(conf, AUTH_GROUP)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """The options with their groups, for the sample generator."""
    auth = [
        *loading.get_session_conf_options(),
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options("v3password"),
    ]
    return [(GROUP.name, OPTS), (AUTH_GROUP, [*AUTH_OPTS, *auth])]
