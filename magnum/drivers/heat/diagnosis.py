"""Why a stack failed: the deepest resources that did, their place, type and the cloud's own words.

Pure: it works on what :mod:`magnum.drivers.heat.stack` has fetched. Heat repeats the reason of a
nested resource in each stack around it; what a person needs is the innermost, once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from magnum.drivers.contract import Actor, Fault
from magnum.drivers.heat.errors import (
    CloudRestarted,
    clean,
    gone,
    is_bad_value,
    is_no_room,
    request_id,
    without_request_id,
)
from magnum.drivers.heat.stack import ResourceView, StackView

#: Heat's type of the resource that waits for a node's report.
WAIT_TYPES = ("OS::Heat::WaitCondition", "AWS::CloudFormation::WaitCondition")
#: Types that take an address of the external network.
_TAKE_EXTERNAL = (
    *("OS::Neutron::FloatingIP", "OS::Neutron::FloatingIPAssociation"),
    *("OS::Neutron::Router", "OS::Neutron::RouterGateway"),
)

#: Most parts that are named as failed, and the longest text of each, in characters.
MOST_FAULTS = 20
LONGEST_FAULT = 400

_TIMED_OUT = re.compile(r"(?i)\btimed out\b")
#: What Heat says of resources that it stopped because another one had failed.
_COLLATERAL = re.compile(r"(?i)aborted|cancelled|Stopped by user")
#: What Heat says of stacks and resources that it was at when one of its engines was stopped.
_RESTARTED = re.compile(r"(?i)\b(?:engine|worker) went down\b")
_NO_HOST = re.compile(
    r"(?i)no valid host|not enough hosts|no valid backend|exceeded maximum number of retries"
)
_NO_ADDRESS = re.compile(
    r"(?i)no more ip addresses available|unable to find any ip address"
    r"|IpAddressGenerationFailure|ExternalIpAddressExhausted"
)
_STEPS = {"CREATE": "Creating", "UPDATE": "Updating", "DELETE": "Deleting", "CHECK": "Checking"}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why it failed: code, whose move it is, a text for the user and one for the operator.

    ``faults`` are all parts that failed by themselves, the one that the texts name first.
    """

    code: str
    actor: Actor
    text: str
    operator_text: str
    faults: tuple[Fault, ...] = ()


def diagnose(view: StackView, resources: Sequence[ResourceView]) -> Cause:
    """The cause of a stack's failure, from the resources in it that did not complete."""
    timed_out = bool(_TIMED_OUT.search(view.reason))
    blamed = _blamed(resources, timed_out)
    whole = f"stack {view.name}/{view.stack_id} {view.action}_{view.status}: {clean(view.reason)}"
    if not blamed:
        return _without_resource(view, timed_out, whole)
    culprit = blamed[0]
    place = _place(culprit, resources)
    code, actor, saying = _kind(culprit, timed_out)
    reason = view.reason if _was_stopped(culprit) else culprit.reason
    step = _STEPS.get(culprit.action, culprit.action or "Making")
    text = (
        f"{saying} {step} resource '{place}' ({culprit.type}): {clean(without_request_id(reason))}"
    )
    operator_text = (
        f"{whole}; resource {place} {culprit.type} {culprit.resource_id}: {clean(reason)}"
    )
    faults = tuple(_fault(resource, resources, view) for resource in blamed[:MOST_FAULTS])
    return Cause(code, actor, text, operator_text, faults)


def _kind(culprit: ResourceView, stack_timed_out: bool) -> tuple[str, Actor, str]:
    """Code, whose move it is, and the sentence that a text begins with."""
    reason = culprit.reason
    if _RESTARTED.search(reason):
        return _HEAT_RESTARTED
    if culprit.type in WAIT_TYPES:
        if stack_timed_out or "WaitConditionTimeout" in reason:
            return (
                "NODE_NOT_REPORTED",
                Actor.USER,
                "A node did not report in time that it is ready; its console log tells more.",
            )
        return "NODE_FAILED", Actor.USER, "A node reported that its setup failed."
    if _NO_HOST.search(reason):
        return "NO_CAPACITY", Actor.OPERATOR, "The cloud has no place for a part of the cluster."
    if _NO_ADDRESS.search(reason) and culprit.type in _TAKE_EXTERNAL:
        return (
            "FLOATING_IPS_EXHAUSTED",
            Actor.OPERATOR,
            "The external network has no free address.",
        )
    if is_no_room(reason):
        return _QUOTA
    if (missing := gone(reason)) is not None:
        error, saying = missing
        return error.code, error.actor, saying
    if is_bad_value(reason):
        return "INVALID_OPTION", Actor.USER, "The cloud does not accept a value."
    if stack_timed_out:
        return _OUT_OF_TIME
    return "BUILD_FAILED", Actor.USER, "The cloud could not make a part of the cluster."


_HEAT_RESTARTED = (
    CloudRestarted.code,
    Actor.NOBODY,
    "Heat was restarted while it worked at the cluster.",
)
_QUOTA = ("QUOTA_EXCEEDED", Actor.USER, "The project's quota has no room for the cluster.")
_OUT_OF_TIME = ("TIMED_OUT", Actor.OPERATOR, "The cloud did not finish in time.")


def _without_resource(view: StackView, timed_out: bool, whole: str) -> Cause:
    words = clean(view.reason) or "no reason given"
    if _RESTARTED.search(words):
        code, actor, saying = _HEAT_RESTARTED
    elif timed_out:
        code, actor, saying = _OUT_OF_TIME
    elif is_no_room(words):
        code, actor, saying = _QUOTA
    else:
        code, actor, saying = (
            "BUILD_FAILED",
            Actor.USER,
            "The cloud could not make the cluster.",
        )
    step = _STEPS.get(view.action, view.action)
    return Cause(code, actor, f"{saying} {step} the stack: {without_request_id(words)}", whole)


def _blamed(resources: Sequence[ResourceView], timed_out: bool) -> list[ResourceView]:
    """The resources to blame: innermost, not stopped for another's sake, the earliest kind first.

    Of one kind of cause they stand in the order of their places, not of time: which of them fails
    first is another one each time that the same is tried, and the text must not change with it.

    Where the stack ran out of time everything open was stopped; then nodes that did not report are
    what the others waited for. Where Heat stopped the stack for another reason, no resource is to
    blame. What failed because Heat itself was stopped comes last: it is the cause only where
    nothing else is.
    """
    owners = {resource.owner for resource in resources}
    innermost = [r for r in resources if not r.resource_id or r.resource_id not in owners]
    if not timed_out:
        innermost = [r for r in innermost if not _was_stopped(r)]
    codes = {resource: _kind(resource, timed_out)[0] for resource in innermost}
    began = {
        code: min(r.updated for r in innermost if codes[r] == code) for code in set(codes.values())
    }
    return sorted(
        innermost,
        key=lambda r: (
            codes[r] == CloudRestarted.code,
            timed_out and r.type not in WAIT_TYPES,
            began[codes[r]],
            codes[r],
            _place(r, resources),
        ),
    )


def _was_stopped(resource: ResourceView) -> bool:
    """Whether the resource did not fail itself but was stopped, or is still being worked on."""
    return resource.status != "FAILED" or bool(_COLLATERAL.search(resource.reason))


def _fault(resource: ResourceView, resources: Sequence[ResourceView], view: StackView) -> Fault:
    reason = view.reason if _was_stopped(resource) else resource.reason
    words = clean(without_request_id(reason))
    if len(words) > LONGEST_FAULT:
        words = words[: LONGEST_FAULT - 4] + " ..."
    return Fault(_place(resource, resources), resource.type, words, request_id(reason))


def _place(culprit: ResourceView, resources: Sequence[ResourceView]) -> str:
    """Where the resource is, from outside to inside: ``workers / 1 / server``."""
    around = {r.resource_id: r for r in resources if r.resource_id}
    names = [culprit.name]
    outer = around.get(culprit.owner)
    while outer is not None and len(names) < 10:
        names.append(outer.name)
        outer = around.get(outer.owner)
    return " / ".join(reversed(names))
