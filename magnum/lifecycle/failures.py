"""The failure catalogue: what each code means, whose move it is, and what to do. Data, and nothing else.

A bay's ``status_reason`` begins with one of these codes, and an operation's error has it. The API hands out
:func:`advice`; the documentation's page of failures is written from :data:`CATALOGUE`. A driver may have codes of its
own, which it documents itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from magnum.drivers.contract import Actor


@dataclass(frozen=True, slots=True)
class Failure:
    """One code.

    ``actor`` is whose move it is as a rule; the operation itself says whose it is in its case. ``waits`` is true where
    the operation is kept and goes on by itself once the cause is gone, at the latest until its deadline; false where it
    has ended. ``user`` and ``operator`` say what each of them can do.
    """

    meaning: str
    actor: Actor
    waits: bool
    user: str
    operator: str


def advice(code: str) -> str | None:
    """What a user is told to do about a code; None where the catalogue does not have it."""
    failure = CATALOGUE.get(code)
    return None if failure is None else failure.user


def _waits(actor: Actor, meaning: str, *, user: str, operator: str) -> Failure:
    return Failure(meaning, actor, True, user, operator)


def _ends(actor: Actor, meaning: str, *, user: str, operator: str) -> Failure:
    return Failure(meaning, actor, False, user, operator)


_NO_ROOM = {
    "QUOTA_EXCEEDED": _waits(
        Actor.USER,
        "The project's quota has no room for the cluster.",
        user="Free what the project does not need, or have its quota raised. It goes on once there is room.",
        operator="Raise the project's quota for what the text names, if the project shall have it.",
    ),
    "NO_CAPACITY": _waits(
        Actor.OPERATOR,
        "No compute host can take a node.",
        user="Wait until the cloud's operator has made room. If the flavor is larger than any host, "
        "delete the bay and use a smaller one.",
        operator="Add or free compute hosts. Nova's scheduler logs why it refused each host.",
    ),
    "FLOATING_IPS_EXHAUSTED": _waits(
        Actor.OPERATOR,
        "The external network has no free address.",
        user="Release floating IPs that the project does not need, or wait until the cloud's operator has added "
        "some. It goes on once there is one.",
        operator="Add a subnet or an allocation pool to the external network.",
    ),
}

_SOMETHING_GONE = {
    "IMAGE_GONE": _ends(
        Actor.USER,
        "The image that the nodes boot is not there any more.",
        user="Delete the bay, and create it from a baymodel whose image exists.",
        operator="Hide an image that bays use instead of deleting it: every new node of theirs boots it.",
    ),
    "FLAVOR_GONE": _ends(
        Actor.USER,
        "A flavor of the nodes is not there any more.",
        user="Delete the bay, and create it with a flavor that exists.",
        operator="Keep a flavor as long as bays use it: every new node of theirs needs it.",
    ),
    "NETWORK_GONE": _ends(
        Actor.USER,
        "A network or subnet that the cluster is to use is not there any more.",
        user="Delete the bay, and create it with a network that exists.",
        operator="If it is an external network that was replaced, tell the projects which one to use.",
    ),
    "STACK_GONE": _ends(
        Actor.USER,
        "Somebody else has deleted the cluster's stack.",
        user="Delete the bay, and create it again if it is needed.",
        operator="The stack's id and the time are in the bay's events; Heat's API log says who deleted it.",
    ),
    "STACK_CHANGED": _ends(
        Actor.USER,
        "Somebody else has changed the cluster's stack: it is not what was last made of it.",
        user="Ask for the number of nodes that the bay is to have, even if it is the same: that mends the cluster. "
        "Change clusters over this service only.",
        operator="Heat's API log says who changed it.",
    ),
}

_NODES = {
    "NODE_NOT_REPORTED": _ends(
        Actor.USER,
        "A node did not report in time that it is ready.",
        user="Read the node's console log: often it cannot reach the cloud, a registry or a proxy. Then delete the "
        "bay and create it again; a driver's option may give the nodes more time.",
        operator="See that nodes reach the metadata service, and the address to which they report (for Heat's "
        "wait conditions that is heat-api-cfn).",
    ),
    "NODE_FAILED": _ends(
        Actor.USER,
        "A node reported that its setup failed.",
        user="The text has the node's own words, its console log has more. Correct what they name, delete the bay "
        "and create it again.",
        operator="If the nodes of every project fail in their setup, the image does not fit the driver.",
    ),
    "NODE_UNKNOWN": _ends(
        Actor.USER,
        "The bay has no node of the name or id that was given. Nothing was done to any node.",
        user="Look up the nodes of the bay, and ask again with their names or the ids of their servers.",
        operator="Nothing is left to do.",
    ),
    "NODE_ACTION_FAILED": _ends(
        Actor.OPERATOR,
        "The cloud could not restart or rebuild a node; the text names it.",
        user="Ask again later. If it fails again, tell the cloud's operator.",
        operator="The text has Nova's reason, and the log of Nova's service on the node's host has more.",
    ),
}

_CLOUD = {
    "CLOUD_UNAVAILABLE": _waits(
        Actor.NOBODY,
        "A service of the cloud does not answer. After several tries it is left alone for a while.",
        user="Nothing. It is tried again until the deadline.",
        operator="See whether the service that the text names is up, and whether conductors can reach it.",
    ),
    "CLOUD_ERROR": _waits(
        Actor.NOBODY,
        "A service of the cloud answered with an error of its own.",
        user="Nothing. It is tried again until the deadline.",
        operator="The service's log has the cause, under the request's id.",
    ),
    "CLOUD_RESTARTED": _waits(
        Actor.NOBODY,
        "Heat was restarted while it worked at the cluster, and gave the stack up.",
        user="Nothing. Heat is asked to go on from where it stopped.",
        operator="Nothing, unless Heat's engine does not stay up.",
    ),
    "CONFLICT": _waits(
        Actor.NOBODY,
        "Heat is busy with the stack in another way.",
        user="Nothing. It is tried again until the deadline.",
        operator="If it lasts, see what the stack is doing, and who asked for it.",
    ),
    "CLOUD_REFUSED": _waits(
        Actor.OPERATOR,
        "Keystone does not let this service in.",
        user="Tell the cloud's operator. It goes on once this is put right.",
        operator="See that the user in [keystone_auth] is there, enabled, and has the password that is configured.",
    ),
    "PERMISSION_LOST": _waits(
        Actor.OPERATOR,
        "A service of the cloud forbids this service what it has to do.",
        user="Tell the cloud's operator. It goes on once this is put right.",
        operator="See that this service's user can have the roles of [identity] granted_roles in the project, and "
        "that the policy of the service that the text names lets these roles do it.",
    ),
}

_SECRETS = {
    "KEYS_NOT_SET_UP": _waits(
        Actor.OPERATOR,
        "This service cannot keep or read the secrets that the cluster needs.",
        user="Tell the cloud's operator. It goes on once this is put right.",
        operator="The operation's text for operators says what is missing. As a rule it is the key ring: make it with "
        "`magnum-key-manage setup`, and put the same on every API and conductor.",
    ),
    "IDENTITY_NOT_SET_UP": _waits(
        Actor.OPERATOR,
        "This service cannot make the user that the cluster's nodes work as.",
        user="Tell the cloud's operator. It goes on once this is put right.",
        operator="The operation's text for operators says what is missing. As a rule it is the domain of the bays' own "
        "users: make it, and name it in [trust] trustee_domain_id or trustee_domain_name of every API and conductor.",
    ),
    "SECRET_STORE_UNAVAILABLE": _waits(
        Actor.NOBODY,
        "The place where secrets are kept does not answer.",
        user="Nothing. It is tried again until the deadline.",
        operator="See whether Barbican is up, and whether API and conductors can reach it.",
    ),
}

_DRIVER = {
    "DRIVER_MISSING": _waits(
        Actor.OPERATOR,
        "The driver that the bay was made with is not installed, or not enabled.",
        user="Tell the cloud's operator. It goes on once the driver is back.",
        operator="Install the driver on every conductor, and see [drivers] enabled_drivers and disabled_drivers.",
    ),
    "DRIVER_ERROR": _waits(
        Actor.NOBODY,
        "The driver met something that it does not know.",
        user="Nothing. It is tried again until the deadline.",
        operator="The conductor's log has the traceback. Report it to the driver's maintainers.",
    ),
    "NOT_SUPPORTED": _ends(
        Actor.USER,
        "The bay's driver cannot do this.",
        user="See the driver's page for what it can do.",
        operator="Nothing.",
    ),
    "INVALID_OPTION": _ends(
        Actor.USER,
        "A value in the bay or its baymodel cannot be used; the text names it.",
        user="Delete the bay, correct the value, and create it again.",
        operator="Nothing.",
    ),
}

_BUILD = {
    "BUILD_FAILED": _ends(
        Actor.USER,
        "The cloud could not make a part of the cluster; the text names it.",
        user="Correct what the text names, delete the bay and create it again.",
        operator="The log of the service that the text names has more, under the request's id.",
    ),
    "TIMED_OUT": _ends(
        Actor.OPERATOR,
        "Heat did not finish in the time that it had.",
        user="Delete the bay and create it again, with more time (create_timeout) if the cluster is large.",
        operator="See what the resource that the text names was waiting for.",
    ),
    "DEADLINE_EXCEEDED": _ends(
        Actor.OPERATOR,
        "The time for the operation ran out; the text has the last trouble that was known.",
        user="Do what is advised for that trouble. Then ask again, or delete the bay, which is always possible.",
        operator="Do what is advised for that trouble. [lifecycle] default_deadline is the time that operations "
        "have where the user names none.",
    ),
    "STACK_NAME_TAKEN": _ends(
        Actor.OPERATOR,
        "The project has another stack of the name that the bay's stack is to have.",
        user="Delete that stack if it is yours, then delete the bay and create it again.",
        operator="The stack bears the bay's name but not its tag: see who made it.",
    ),
}

_DELETE = {
    "DELETE_FAILED": _waits(
        Actor.NOBODY,
        "A part of the cluster would not go away; the text names it.",
        user="Remove what holds it, for example a port or an address that was added by hand. It is tried again "
        "until the deadline. A deletion with force ends at once, and lists what it leaves.",
        operator="The text has Heat's reason. Remove what holds the resource.",
    ),
    "LEFTOVERS": _waits(
        Actor.USER,
        "The stack is gone, but something that bears the bay's tag is still there; the operation lists it.",
        user="Remove what is listed. It goes on once nothing is left. A deletion with force ends at once, and lists "
        "what it leaves.",
        operator="Remove what is listed where the project itself cannot.",
    ),
}

#: Every code that this service gives by itself, and those that all Heat drivers give.
CATALOGUE: Mapping[str, Failure] = MappingProxyType(
    {**_NO_ROOM, **_SOMETHING_GONE, **_NODES, **_CLOUD, **_SECRETS, **_DRIVER, **_BUILD, **_DELETE}
)
