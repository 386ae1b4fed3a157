"""Settings that the clients' ``config`` commands write for a cluster of the cloud's own service, on real nodes."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from magnum.tests.functional.clients import commands, environments
from magnum.tests.functional.clients.environments import Account, Shell
from magnum.tests.functional.clients.tls import Written, swarm_settings
from magnum.tests.functional.cloud.client import Tenant
from tools.node_run.image import image
from tools.openstack import config
from tools.openstack.console import Progress

NEWEST = "magnumclient-5.0.0"
LAST_WITH_BAYS = "magnumclient-2.17.0"


def for_docker(tenant: Tenant, bay: str, folder: Path) -> Iterator[Written]:
    """What ``openstack coe cluster config`` and ``magnum bay-config`` write for a Swarm."""
    coe = commands.openstack(_shell(NEWEST, tenant, folder / NEWEST))
    yield swarm_settings(coe("cluster config", bay, "--output-certs"), coe.shell.folder)
    magnum = commands.magnum(_shell(LAST_WITH_BAYS, tenant, folder / LAST_WITH_BAYS))
    yield swarm_settings(magnum("bay-config", bay), magnum.shell.folder)


def for_kubectl(tenant: Tenant, bay: str, folder: Path) -> Path:
    """The file that ``openstack coe cluster config`` writes for a Kubernetes."""
    coe = commands.openstack(_shell(NEWEST, tenant, folder / NEWEST))
    path = coe.shell.folder / "config"
    assert coe("cluster config", bay).strip() == f"export KUBECONFIG={path}"
    return path


def docker(settings: Written, *words: str) -> str:
    """What docker says that knows nothing but these settings: the nodes' own docker, which runs here too."""
    program = image(Progress(quiet=True)).base / "usr" / "bin" / "docker"
    ended = subprocess.run(
        [str(program), *words],
        env={
            "DOCKER_HOST": settings.address,
            "DOCKER_CERT_PATH": str(settings.folder),
            "DOCKER_TLS_VERIFY": "True",
            "HOME": str(settings.folder),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=environments.PATIENCE,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def _shell(requirements: str, tenant: Tenant, folder: Path) -> Shell:
    variables = Account.of_tenant(tenant).variables(config.REGION)
    return Shell(environments.venv(requirements), variables, folder)
