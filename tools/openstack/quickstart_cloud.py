"""The small cloud under ``tools/quickstart``: configuration, programs and users of Keystone and Heat.

Data only: ``quickstart_run.py`` writes and starts it, ``embedded.py`` is what then runs in the processes.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.openstack import config, keystone, sqlite
from tools.openstack.config import Passwords, Sections
from tools.openstack.embedded import PASSWORD_VARIABLE
from tools.openstack.processes import LOOPBACK, Program
from tools.openstack.quickstart_place import HEAT, KEYSTONE, Place, Ports

#: Users of the Default domain and their projects. Roles: what ``_GRANTS`` says.
USERS: Mapping[str, str] = {"admin": "admin", "demo": "demo", "other": "other", "reader": "demo"}
_ROLES: Mapping[str, tuple[str, ...]] = {
    "demo": ("member", "heat_stack_owner"),
    "other": ("member", "heat_stack_owner"),
    "reader": ("reader",),
}
HEAT_DOMAIN = "heat"  # of the users that Heat makes for signals
HEAT_DOMAIN_ADMIN = "heat_domain_admin"


@dataclass(frozen=True)
class Cloud:
    """One embedded Keystone and Heat.

    :param passwords: of its users; also Heat's encryption key.
    """

    place: Place
    ports: Ports
    passwords: Passwords

    @property
    def auth_url(self) -> str:
        """Keystone, without a version."""
        return f"http://{LOOPBACK}:{self.ports.keystone}"

    @property
    def heat_url(self) -> str:
        """Heat's API, without a version."""
        return f"http://{LOOPBACK}:{self.ports.heat}"

    @property
    def cfn_url(self) -> str:
        """Heat's CFN API, without a version."""
        return f"http://{LOOPBACK}:{self.ports.heat_cfn}"

    def etc(self, name: str) -> Path:
        """A configuration file."""
        return self.place.state / "etc" / name

    def data(self, name: str) -> Path:
        """Something that a service keeps."""
        return self.place.state / "data" / name


def write(cloud: Cloud) -> bool:
    """Write keys, databases to be filled, the plugin and both configurations; says whether one of these changed."""
    cloud.place.state.joinpath("data").mkdir(mode=0o700, parents=True, exist_ok=True)
    for repository in ("fernet", "credential"):
        _write_keys(cloud.data(repository))
    for service in (KEYSTONE, HEAT):
        sqlite.create(cloud.data(f"{service}.db"))
    config.write_private(
        cloud.data("heat-plugins") / "standins.py",
        '"""Has Heat load the stand-ins of the checkout."""\n\n'
        "from tools.openstack.standins import constraint_mapping, resource_mapping\n\n"
        '__all__ = ["constraint_mapping", "resource_mapping"]\n',
    )
    changed = config.write(cloud.etc("keystone.conf"), _keystone(cloud))
    return config.write(cloud.etc("heat.conf"), _heat(cloud)) or changed


def programs(cloud: Cloud) -> tuple[Program, Program]:
    """The processes to start: Keystone and Heat."""
    python = str(cloud.place.venv / "bin" / "python")
    embedded = (python, "-P", "-m", "tools.openstack.embedded")
    path = {"PYTHONPATH": str(cloud.place.checkout)}
    keystone_arguments = {
        "--config-file": cloud.etc("keystone.conf"),
        "--database": cloud.data("keystone.db"),
        "--port": cloud.ports.keystone,
        "--ready": cloud.data("keystone.ready"),
        "--region": config.REGION,
    }
    heat_arguments = {
        "--config-file": cloud.etc("heat.conf"),
        "--database": cloud.data("heat.db"),
        "--port": cloud.ports.heat,
        "--cfn-port": cloud.ports.heat_cfn,
        "--ready": cloud.data("heat.ready"),
    }
    return (
        Program(
            KEYSTONE,
            (*embedded, KEYSTONE, *_words(keystone_arguments)),
            {**path, PASSWORD_VARIABLE: cloud.passwords["admin"]},
            cloud.ports.keystone,
        ),
        Program(HEAT, (*embedded, HEAT, *_words(heat_arguments)), path, cloud.ports.heat),
    )


def wanted(cloud: Cloud) -> keystone.Wanted:
    """Users, projects, roles and catalogue entries, on top of what Keystone's bootstrap makes."""
    users = tuple(keystone.User(name, cloud.passwords[name]) for name in USERS if name != "admin")
    grants = tuple(
        keystone.Grant(user, role, project=USERS[user])
        for user, roles in _ROLES.items()
        for role in roles
    )
    return keystone.Wanted(
        domains=(keystone.Domain(HEAT_DOMAIN, "users that Heat makes for signals"),),
        projects=(
            keystone.Project("service"),
            *(keystone.Project(name) for name in dict.fromkeys(USERS.values())),
        ),
        roles=("heat_stack_owner", "heat_stack_user", "service"),
        users=(
            *users,
            keystone.User("heat", cloud.passwords["heat"]),
            keystone.User(HEAT_DOMAIN_ADMIN, cloud.passwords[HEAT_DOMAIN_ADMIN], HEAT_DOMAIN),
        ),
        grants=(
            *grants,
            keystone.Grant("heat", "admin", project="service"),
            keystone.Grant("heat", "service", project="service"),
            keystone.Grant(HEAT_DOMAIN_ADMIN, "admin", domain=HEAT_DOMAIN, user_domain=HEAT_DOMAIN),
        ),
        services=(
            keystone.Service("keystone", "identity", cloud.auth_url),
            keystone.Service("heat", "orchestration", f"{cloud.heat_url}/v1/%(tenant_id)s"),
            keystone.Service("heat-cfn", "cloudformation", f"{cloud.cfn_url}/v1"),
        ),
    )


def _words(arguments: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(str(word) for pair in arguments.items() for word in pair)


def _write_keys(repository: Path) -> None:
    """The key ring that ``keystone-manage fernet_setup`` would make, without its two seconds."""
    for name in ("0", "1"):  # the next key and the present one
        if not (repository / name).exists():
            repository.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = base64.urlsafe_b64encode(os.urandom(32)).decode()
            config.write_private(repository / name, key)


def _keystone(cloud: Cloud) -> Sections:
    return {
        "database": sqlite.options(cloud.data("keystone.db")),
        "token": {"expiration": 24 * 3600},
        "fernet_tokens": {"key_repository": cloud.data("fernet")},
        "fernet_receipts": {"key_repository": cloud.data("fernet")},
        "credential": {"key_repository": cloud.data("credential")},
        # The cheapest that bcrypt allows: Heat makes a user for every wait condition.
        "identity": {"password_hash_rounds": 4},
        "cache": {"enabled": True, "backend": "dogpile.cache.memory"},
    }


def _heat(cloud: Cloud) -> Sections:
    password = cloud.passwords["heat"]
    own = config.identity(cloud.auth_url, "heat", password)
    shipped = cloud.place.venv / "etc" / "heat"  # where Heat's wheel puts its paste file
    return {
        "DEFAULT": {
            "transport_url": "fake://",
            "auth_encryption_key": cloud.passwords["heat encryption key"],
            "heat_metadata_server_url": cloud.cfn_url,
            "heat_waitcondition_server_url": f"{cloud.cfn_url}/v1/waitcondition",
            "stack_user_domain_name": HEAT_DOMAIN,
            "stack_domain_admin": HEAT_DOMAIN_ADMIN,
            "stack_domain_admin_password": cloud.passwords[HEAT_DOMAIN_ADMIN],
            "region_name_for_services": config.REGION,
            "environment_dir": shipped / "environment.d",
            "template_dir": shipped / "templates",
            "plugin_dirs": cloud.data("heat-plugins"),
            "max_resources_per_stack": -1,
            "executor_thread_pool_size": 16,
        },
        "database": sqlite.options(cloud.data("heat.db")),
        "paste_deploy": {"api_paste_config": shipped / "api-paste.ini"},
        "oslo_messaging_notifications": {"driver": "noop"},
        "clients_keystone": {"auth_uri": cloud.auth_url},
        "keystone_authtoken": config.token_check(cloud.auth_url, "heat", password),
        "ec2authtoken": {"endpoint_override": cloud.auth_url, **own},
        "trustee": {
            "auth_type": "password",
            "auth_url": cloud.auth_url,
            "username": "heat",
            "password": password,
            "user_domain_name": "Default",
        },
    }
