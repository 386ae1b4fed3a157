"""``tools/quickstart``, the part that runs in the virtual environment: start, seed, make a bay, tell.

``quickstart.py`` has read the options, checked the machine and made the environment before.
"""

import os
import time
from importlib import metadata
from pathlib import Path

from tools.openstack import config, console, keystone, magnum, quickstart, quickstart_bay
from tools.openstack import quickstart_cloud as small_cloud
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import Processes, exclusive
from tools.openstack.quickstart_cloud import Cloud
from tools.openstack.quickstart_place import API, CONDUCTOR, HEAT, KEYSTONE, Place, Ports

ABSENT = ("image", "compute", "network", "volume")
USER = "demo"

#: Goes into every openrc file, until a client of the service itself is in the environment.
_SHELL_FUNCTION = """
# magnum_curl PATH [OPTION OF CURL ...]: a request to Magnum as this user, for example `magnum_curl /bays`.
magnum_curl() {{
    _path=$1; shift
    curl -sS -H "X-Auth-Token: $(openstack token issue -f value -c id)" \\
        -H "OpenStack-API-Version: container-infra latest" -H "Content-Type: application/json" \\
        "$@" "{url}$_path" && echo
}}
"""


def main() -> int:
    """The command; returns its exit status."""
    options = quickstart.arguments()
    began = os.environ.get(quickstart.BEGAN)
    say = Progress(began=time.monotonic() if began is None else float(began))
    place = Place(quickstart.CHECKOUT)
    _check_driver(options.driver, place.drivers)
    with exclusive(place.lock, quickstart.BUSY):
        passwords = config.Passwords(place.state / "passwords.json")
        cloud = Cloud(place, Ports(options.port_offset), passwords)
        processes = Processes(place.state)
        start(cloud, processes, say)
        client = quickstart_bay.Client(
            keystone.login(cloud.auth_url, USER, passwords[USER], small_cloud.USERS[USER])
        )
        bay = quickstart_bay.launch(client, options.driver, say)
        if bay.failed:
            _tell_failure(bay, processes)
        else:
            stack = None if bay.stack_id is None else client.stack_name(bay.stack_id)
            _tell(bay, stack, _openrc(cloud, USER), options.keep)
        if not options.keep:
            quickstart.down(processes)
    return 1 if bay.failed else 0


def start(cloud: Cloud, processes: Processes, say: Progress) -> None:
    """Have Keystone, Heat, our API and our conductor run, with users and catalogue in place.

    :raises Trouble: when one of them ends early or does not answer.
    """
    service = _service(cloud)
    cloud.place.drivers.mkdir(mode=0o755, parents=True, exist_ok=True)
    changed = [small_cloud.write(cloud), magnum.write_config(service)]
    if any(changed) and processes.names():
        say("the configuration has changed: stopping what runs")
        processes.stop(*processes.names(), patience=30)
    quickstart.check_ports(processes, cloud.ports)
    started = [program.name for program in small_cloud.programs(cloud) if processes.start(program)]
    if started:
        say(f"starting a real {' and a real '.join(name.title() for name in started)} on SQLite")
    else:
        say("Keystone and Heat are running")
    if processes.pid(API) is None:
        magnum.upgrade_database(service, processes.log("magnum-db-manage"))
    with say.waiting("Keystone"):
        processes.wait_for_http(KEYSTONE, f"{cloud.auth_url}/v3")
    if started:
        say(f"Keystone answers on {cloud.auth_url}")
    admin = keystone.login(cloud.auth_url, "admin", cloud.passwords["admin"], "admin")
    ours = magnum.wanted(service.password, cloud.passwords[magnum.DOMAIN_ADMIN], service.port)
    made = keystone.seed(admin, cloud.auth_url, keystone.plus(small_cloud.wanted(cloud), ours))
    if made:
        say(f"users, projects and catalogue: {made} entries made")
    for user in small_cloud.USERS:
        _openrc(cloud, user)
    with say.waiting("Heat and Magnum"):
        magnum.start(service, processes)
        for url in (cloud.heat_url, cloud.cfn_url):
            processes.wait_for_http(HEAT, f"{url}/")
    say(f"Heat answers on {cloud.heat_url}, Magnum on http://127.0.0.1:{service.port}/v1")


def _service(cloud: Cloud) -> magnum.Settings:
    return magnum.Settings(
        state=cloud.place.state,
        venv=cloud.place.venv,
        auth_url=cloud.auth_url,
        password=cloud.passwords[magnum.USER],
        database=f"sqlite:///{cloud.data('magnum.db')}",
        port=cloud.ports.magnum,
        absent_services=ABSENT,
        poll_interval=1,
        sweep_interval=1,
        extra={"drivers": {"paths": cloud.place.drivers, "refresh_seconds": 1}},
    )


def _check_driver(name: str, place: Path) -> None:
    """Raise ``Trouble`` for a driver that is not there, before anything is started."""
    dropped = {path.parent.name for path in place.glob("*/driver.py")}
    known = sorted(metadata.entry_points(group="magnum.drivers").names | dropped)
    if name not in known:
        raise Trouble(f"there is no driver {name}; there are {', '.join(known)}.")


def _openrc(cloud: Cloud, user: str) -> Path:
    """Write the file that a person sources to be that user; it also puts our and the cloud's commands on the PATH."""
    programs = cloud.place.state / "bin"
    programs.mkdir(exist_ok=True)
    client = programs / "openstack"
    if not client.exists():
        client.unlink(missing_ok=True)
        client.symlink_to(cloud.place.venv / "bin" / "openstack")
    manage = cloud.place.venv / "bin" / "magnum-driver-manage"
    command = f'#!/bin/sh\nexec "{manage}" --config-file "{_service(cloud).config_file}" "$@"\n'
    config.write_private(programs / manage.name, command)
    (programs / manage.name).chmod(0o700)
    text = config.openrc(
        auth_url=cloud.auth_url,
        username=user,
        password=cloud.passwords[user],
        project=small_cloud.USERS[user],
    )
    text += f'case ":$PATH:" in *":{programs}:"*) ;; *) export PATH="{programs}:$PATH" ;; esac\n'
    text += _SHELL_FUNCTION.format(url=f"http://127.0.0.1:{cloud.ports.magnum}/v1")
    path = cloud.place.state / f"openrc-{user}"
    config.write_private(path, text)
    return path


def _tell(bay: quickstart_bay.Bay, stack: str | None, openrc: Path, keep: bool) -> None:
    """The end of the story, and what could be typed next."""
    print(f"\nBay {bay.name} is {bay.status} (driver {bay.driver} {bay.driver_version}).")
    if stack is None:
        print(f"Its driver {bay.driver} uses no cloud at all, so it has no Heat stack.")
    else:
        print(
            f"Its Heat stack is {stack}. Keystone, Heat and the stack are real; the servers and networks in "
            "it are\nthe stand-ins of tools/openstack/standins.py, because Nova and Neutron are not here."
        )
    print(f"  API      {bay.api_address}")
    print(f"  masters  {', '.join(bay.master_addresses)}")
    print(f"  nodes    {', '.join(bay.node_addresses)}")
    if not keep:
        return
    look = f"openstack stack resource list {stack}"
    if stack is None:
        look = "magnum_curl /baymodels"
    scale = """-X PATCH -d '[{"op": "replace", "path": "/node_count", "value": 3}]'"""
    print(
        f"\nWhat you could type next:\n"
        f"  . {_short(openrc)}\n"
        f"  magnum_curl /bays/{bay.name}\n"
        f"  {look}\n"
        f"  magnum_curl /bays/{bay.name} {scale}\n"
        f"\nEverything keeps running; `tools/quickstart --down` stops it. "
        f"Logs: {_short(openrc.parent / 'log')}"
    )


def _tell_failure(bay: quickstart_bay.Bay, processes: Processes) -> None:
    """Why the bay failed, and where to read on."""
    print(f"\nBay {bay.name} is {bay.status}: {bay.status_reason}")
    for group, reason in bay.faults.items():
        print(f"  {group}: {reason}")
    shown = (CONDUCTOR,) if bay.stack_id is None else (CONDUCTOR, HEAT)
    for name in shown:
        print(f"\nThe end of {_short(processes.log(name))}:\n{processes.tail(name, 8)}")
    others = [name for name in (API, CONDUCTOR, HEAT, KEYSTONE) if name not in shown]
    print("\nOther logs: " + ", ".join(_short(processes.log(name)) for name in others))


def _short(path: Path) -> str:
    """The path as a person in this folder would type it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


if __name__ == "__main__":
    console.run(main)
