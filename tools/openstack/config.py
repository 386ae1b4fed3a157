"""Configuration files of OpenStack services: ini files from nested mappings, common sections, passwords.

Pure text and files; imports nothing of OpenStack, so it runs before any virtual environment exists.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = str | int | float | bool | Path | Sequence[str]
Section = Mapping[str, Value]
Sections = Mapping[str, Section]

REGION = "RegionOne"


def render(sections: Sections) -> str:
    """The ini text of ``{section: {option: value}}``.

    A list becomes one line, joined with commas. ``$`` is doubled, because oslo.config would read it as the
    name of another option.
    """
    blocks = []
    for section, options in sections.items():
        lines = [f"[{section}]"]
        lines += [f"{option} = {_text(value)}" for option, value in options.items()]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def write(path: Path, sections: Sections) -> bool:
    """Write the file, readable by its owner only (it may hold passwords); says whether it changed."""
    return write_private(path, render(sections))


def write_private(path: Path, text: str) -> bool:
    """Write ``text`` with mode 0600, in one rename; says whether the file's content changed."""
    try:
        if path.read_text() == text:
            return False
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
    return True


def merged(*parts: Sections) -> Sections:
    """One set of sections from several; options of the same section are put together, later ones win."""
    result: dict[str, dict[str, Value]] = {}
    for part in parts:
        for section, options in part.items():
            result.setdefault(section, {}).update(options)
    return result


def identity(
    auth_url: str, username: str, password: str, project: str = "service"
) -> dict[str, Value]:
    """The options with which keystoneauth loads a password identity of the default domain.

    :param auth_url: Keystone without a version, such as ``http://127.0.0.1:5000``.
    """
    return {
        "auth_type": "password",
        "auth_url": auth_url,
        "username": username,
        "password": password,
        "project_name": project,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }


def token_check(
    auth_url: str, username: str, password: str, service_type: str | None = None
) -> Section:
    """The section ``[keystone_authtoken]``: how a service checks its callers' tokens.

    :param service_type: the service's own type in the catalogue. Only a service that knows its type
        honours the access rules of application credentials.
    """
    section: dict[str, Value] = {
        "www_authenticate_uri": auth_url,
        **identity(auth_url, username, password),
        "service_token_roles_required": True,
    }
    if service_type is not None:
        section["service_type"] = service_type
    return section


class Passwords:
    """Random passwords, made once and kept in one file of mode 0600."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def __getitem__(self, name: str) -> str:
        """The password of ``name``; made, and saved, when it is asked for the first time."""
        if name not in self._known:
            self._known[name] = secrets.token_hex(16)
            write_private(self._path, json.dumps(self._known, indent=1, sort_keys=True) + "\n")
        return self._known[name]


def write_fernet_keys(folder: Path) -> str:
    """Make a Fernet key repository as ``keystone-manage fernet_setup`` does, unless there is one.

    Key 0 is the staged one, key 1 the primary, which is returned. Writing them takes no time; Keystone's command
    takes two seconds of imports.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in ("0", "1"):
        if not (folder / name).exists():
            write_private(folder / name, base64.urlsafe_b64encode(os.urandom(32)).decode())
    return (folder / "1").read_text()


def environment(
    *, auth_url: str, username: str, password: str, project: str, region: str = REGION
) -> dict[str, str]:
    """The ``OS_*`` variables with which python-openstackclient and the SDKs are this user."""
    return {
        "OS_AUTH_URL": f"{auth_url}/v3",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_AUTH_TYPE": "password",
        "OS_USERNAME": username,
        "OS_PASSWORD": password,
        "OS_PROJECT_NAME": project,
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_REGION_NAME": region,
    }


def openrc(
    *, auth_url: str, username: str, password: str, project: str, region: str = REGION
) -> str:
    """``environment`` as shell lines, to be sourced."""
    variables = environment(
        auth_url=auth_url, username=username, password=password, project=project, region=region
    )
    return "".join(f"export {name}={value}\n" for name, value in variables.items())


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float, Path)):
        return str(value).replace("$", "$$")
    return ",".join(value).replace("$", "$$")
