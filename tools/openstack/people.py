"""Who may use the cloud. Plain data, for the command line too, which runs before any environment exists."""

from dataclasses import dataclass

from tools.openstack.console import Trouble


@dataclass(frozen=True)
class Person:
    """A user of the default domain who can be named in ``tools/cloud openrc``."""

    name: str
    project: str
    role: str
    about: str


PEOPLE = (
    Person("admin", "admin", "admin", "administrator of the cloud"),
    Person("demo", "demo", "member", "an ordinary user; owns the keypair demo-key"),
    Person("other", "other", "member", "an ordinary user of another project"),
    Person("reader", "demo", "reader", "may look at what is in demo's project, and no more"),
)


def person(name: str) -> Person:
    """The user of this name.

    :raises Trouble: when there is none.
    """
    for known in PEOPLE:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in PEOPLE)
    raise Trouble(f"there is no user {name!r}; there are {names}.")
