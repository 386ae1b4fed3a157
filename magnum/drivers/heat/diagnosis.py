"""Why a stack failed: the deepest resource that did, its place, its type and the cloud's own words.

Pure: it works on what :mod:`magnum.drivers.heat.stack` has fetched. Heat repeats the reason of a
nested resource in each stack around it; what a person needs is the innermost, once.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from magnum.drivers.contract import Actor
from magnum.drivers.heat.errors import clean, is_bad_value, is_no_room
from magnum.drivers.heat.stack import ResourceView, StackView

#: Heat's type of the resource that waits for a node's report.
WAIT_TYPES = ("OS::Heat::WaitCondition", "AWS::CloudFormation::WaitCondition")

_TIMED_OUT = re.compile(r"(?i)\btimed out\b")
#: What Heat says of resources that it stopped because another one had failed.
_COLLATERAL = re.compile(r"(?i)aborted|cancelled|Stopped by user")
_NO_HOST = re.compile(r"(?i)no valid host|not enough hosts|exceeded maximum number of retries")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why it failed: code, whose move it is, a text for the user and one for the operator."""

    code: str
    actor: Actor
    text: str
    operator_text: str


def diagnose(view: StackView, resources: Sequence[ResourceView]) -> Cause:
    """The cause of a stack's failure, from the resources in it that did not complete."""
    timed_out = bool(_TIMED_OUT.search(view.reason))
    culprit = _culprit(resources, timed_out)
    whole = f"stack {view.name}/{view.stack_id} {view.action}_{view.status}: {clean(view.reason)}"
    if culprit is None:
        return _without_resource(view, timed_out, whole)
    place = _place(culprit, resources)
    code, actor, saying = _kind(culprit, timed_out)
    words = clean(view.reason if _was_stopped(culprit) else culprit.reason)
    text = f"{saying} Resource '{place}' ({culprit.type}): {words}"
    operator_text = f"{whole}; resource {place} {culprit.type} {culprit.resource_id}: {words}"
    return Cause(code, actor, text, operator_text)


def _kind(culprit: ResourceView, stack_timed_out: bool) -> tuple[str, Actor, str]:
    """Code, whose move it is, and the sentence that a text begins with."""
    reason = culprit.reason
    if culprit.type in WAIT_TYPES:
        if stack_timed_out or "WaitConditionTimeout" in reason:
            return (
                "NODE_NOT_REPORTED",
                Actor.USER,
                "A node did not report in time that it is ready; its console log tells more.",
            )
        return "NODE_FAILED", Actor.USER, "A node reported that its setup failed."
    if is_no_room(reason) and not _NO_HOST.search(reason):
        return "QUOTA_EXCEEDED", Actor.USER, "The project's quota has no room for the cluster."
    if _NO_HOST.search(reason):
        return "NO_CAPACITY", Actor.OPERATOR, "The cloud has no place for a node."
    if is_bad_value(reason):
        return "INVALID_OPTION", Actor.USER, "The cloud does not accept a value."
    if stack_timed_out:
        return "TIMED_OUT", Actor.OPERATOR, "The cloud did not finish in time."
    return "BUILD_FAILED", Actor.USER, "The cloud could not make a part of the cluster."


def _without_resource(view: StackView, timed_out: bool, whole: str) -> Cause:
    words = clean(view.reason) or "no reason given"
    if timed_out:
        text = f"The cloud did not finish in time: {words}"
        return Cause("TIMED_OUT", Actor.OPERATOR, text, whole)
    if is_no_room(words):
        text = f"The project's quota has no room for the cluster: {words}"
        return Cause("QUOTA_EXCEEDED", Actor.USER, text, whole)
    text = f"The cloud could not make the cluster: {words}"
    return Cause("BUILD_FAILED", Actor.USER, text, whole)


def _culprit(resources: Sequence[ResourceView], timed_out: bool) -> ResourceView | None:
    """The resource to blame: innermost, not stopped for another's sake, the earliest of them.

    Where the stack ran out of time everything open was stopped; then a node that did not report is
    what the others waited for. Where Heat stopped the stack for another reason, no resource is.
    """
    owners = {resource.owner for resource in resources}
    innermost = [r for r in resources if not r.resource_id or r.resource_id not in owners]
    if not timed_out:
        innermost = [r for r in innermost if not _was_stopped(r)]
    if not innermost:
        return None
    return min(innermost, key=lambda r: (r.type not in WAIT_TYPES and timed_out, r.updated, r.name))


def _was_stopped(resource: ResourceView) -> bool:
    """Whether the resource did not fail itself but was stopped, or is still being worked on."""
    return resource.status != "FAILED" or bool(_COLLATERAL.search(resource.reason))


def _place(culprit: ResourceView, resources: Sequence[ResourceView]) -> str:
    """Where the resource is, from outside to inside: ``workers / 1 / server``."""
    around = {r.resource_id: r for r in resources if r.resource_id}
    names = [culprit.name]
    outer = around.get(culprit.owner)
    while outer is not None and len(names) < 10:
        names.append(outer.name)
        outer = around.get(outer.owner)
    return " / ".join(reversed(names))
