"""Heat: two APIs and the engine, with its notifications on."""

from typing import ClassVar

from tools.openstack import config, keystone
from tools.openstack.config import Sections
from tools.openstack.processes import Program
from tools.openstack.services.base import AUTH_URL, SCRIPTS, Service

CFN_PORT = 8000
STACK_DOMAIN = "heat"
STACK_DOMAIN_ADMIN = "heat_domain_admin"


class Heat(Service):
    """Stacks. Emits ``orchestration.stack.*`` on the topic ``notifications``."""

    name = "heat"
    user = "heat"
    databases = ("heat",)
    port: ClassVar[int] = 8004
    catalogue = (
        keystone.Service("heat", "orchestration", f"http://127.0.0.1:{port}/v1/%(tenant_id)s"),
        keystone.Service("heat-cfn", "cloudformation", f"http://127.0.0.1:{CFN_PORT}/v1"),
    )

    def sections(self) -> Sections:
        """``heat.conf``."""
        cfn = self.site.public(f"http://127.0.0.1:{CFN_PORT}")
        credentials = config.identity(AUTH_URL, "heat", self.site.passwords["heat"])
        trustee = {name: credentials[name] for name in credentials if "project" not in name}
        return {
            "DEFAULT": {
                "transport_url": self.site.transport_url,
                "auth_encryption_key": self.site.passwords["heat auth_encryption_key"],
                "num_engine_workers": 1,
                "heat_metadata_server_url": cfn,
                "heat_waitcondition_server_url": f"{cfn}/v1/waitcondition",
                "stack_user_domain_name": STACK_DOMAIN,
                "stack_domain_admin": STACK_DOMAIN_ADMIN,
                "stack_domain_admin_password": self.site.passwords[STACK_DOMAIN_ADMIN],
                "region_name_for_services": config.REGION,
                "environment_dir": self.site.shipped("heat", "environment.d"),
                "template_dir": self.site.shipped("heat", "templates"),
                "max_resources_per_stack": -1,
                "max_stacks_per_tenant": -1,
            },
            "database": self.database_section(pool=16),
            "paste_deploy": {"api_paste_config": self.site.shipped("heat", "api-paste.ini")},
            "clients_keystone": {"auth_uri": self.site.public_auth_url},
            "oslo_messaging_notifications": {"driver": "messagingv2", "topics": "notifications"},
            # Heat appends /v3/ec2tokens to the endpoint itself, and the catalogue's ends in /v3.
            "ec2authtoken": {"endpoint_override": AUTH_URL, **credentials},
            "trustee": trustee,
            "keystone_authtoken": self.token_section(),
        }

    def migrations(self) -> list[tuple[str, ...]]:
        """One schema."""
        manage = self.site.script("heat-manage")
        return [(manage, "--config-file", str(self.config_file), "db_sync")]

    def programs(self) -> tuple[Program, ...]:
        """The engine (with short pauses, if so wished) and both APIs."""
        arguments = ("--config-file", str(self.config_file))
        engine = self.console_program("heat-engine")
        if self.site.fast:
            python = (self.site.script("python"), "-P", str(SCRIPTS / "heat_engine.py"))
            engine = Program("heat-engine", (*python, *arguments))
        return (
            engine,
            self.wsgi_program("heat-api", self.port, "heat.wsgi.api:application", *arguments),
            self.wsgi_program("heat-api-cfn", CFN_PORT, "heat.wsgi.cfn:application", *arguments),
        )
