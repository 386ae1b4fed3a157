"""Ask the rules: :func:`permits` answers, :func:`authorize` refuses. The operator's policy file has the last word."""

import functools
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from oslo_policy import opts as policy_opts
from oslo_policy import policy

from magnum import policies
from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.common.remembered import Remembered
from magnum.conf import CONF

#: How long in seconds a decision is remembered, and so how late a change of the operator's file may be seen.
#: oslo.policy takes half a millisecond for one question, and a request asks three.
REMEMBERED = 5.0
_MOST_DECISIONS = 10_000


class Decisions:
    """Answers of an enforcer, each remembered for a short time.

    An answer depends on the rule, the caller and the target, which are all in the key; and on the operator's file.
    """

    def __init__(
        self, enforcer: policy.Enforcer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._enforcer = enforcer
        self._answers: Remembered[Hashable, bool] = Remembered(_MOST_DECISIONS, clock)
        # The library goes through its rules at every question; none may be added meanwhile.
        self._lock = threading.Lock()

    def permits(self, context: RequestContext, rule: str, target: Mapping[str, Any]) -> bool:
        """See :func:`permits`."""
        key = (rule, *target.items(), *_identity(context))
        remembered = self._answers.get(key)
        if remembered is not None:
            return remembered
        with self._lock:
            answer = bool(
                self._enforcer.enforce(rule, _known(context, target), _credentials(context))
            )
        self._answers.set(key, answer, REMEMBERED)
        return answer

    def declare(self, default: policy.RuleDefault) -> None:
        """Have a default for a rule that is not known from the start. It takes the place of an earlier one."""
        known = self._enforcer.registered_rules.get(default.name)
        if known is not None and known.check_str == default.check_str:
            return
        with self._lock:
            if self._enforcer.registered_rules.pop(default.name, None) is not None:
                if default.name not in self._enforcer.file_rules:
                    self._enforcer.rules.pop(default.name, None)
                self._answers.clear()
            self._enforcer.register_default(default)


def _credentials(context: RequestContext) -> dict[str, Any]:
    """What rules are told of a caller.

    ``is_admin`` and the user's domain as ``domain_id`` are for rules of earlier releases, which operators' files may
    have: without them ``not domain_id:%(trustee_domain_id)s`` would let a bay's own user in.
    """
    return {
        **context.to_policy_values(),
        "domain_id": context.domain_id or context.user_domain_id,
        "is_admin": context.is_admin,
        "is_bay_user": context.is_bay_user,
    }


def _known(context: RequestContext, target: Mapping[str, Any]) -> dict[str, Any]:
    """What rules are told of a target: all that there is, and what rules of earlier releases call a bay's own user."""
    return {
        **target,
        "trustee_domain_id": context.user_domain_id if context.is_bay_user else "",
        "trustee_user_id": target.get("bay_user_id"),
    }


def _identity(context: RequestContext) -> tuple[Hashable, ...]:
    """All that a rule can see of a caller."""
    return (
        context.user_id,
        context.project_id,
        context.domain_id,
        context.user_domain_id,
        context.project_domain_id,
        context.system_scope,
        context.is_admin_project,
        context.is_admin,
        context.is_bay_user,
        context.service_user_id,
        context.service_user_domain_id,
        context.service_project_id,
        context.service_project_domain_id,
        *context.roles,
        None,
        *context.service_roles,
    )


@functools.cache
def decisions() -> Decisions:
    """The process's enforcer with all rules registered. ``decisions.cache_clear()`` begins anew."""
    policy_opts.set_defaults(CONF, policy_file="policy.yaml")
    enforcer = policy.Enforcer(CONF)
    enforcer.suppress_default_change_warnings = True
    enforcer.register_defaults(policies.list_rules())
    return Decisions(enforcer)


def permits(context: RequestContext, rule: str, target: Mapping[str, Any] | None = None) -> bool:
    """Whether a rule lets the caller do something to a target.

    :param target: ``project_id`` and ``user_id`` of what is touched; without one, the caller's own project is meant.
    """
    if target is None:
        target = {"project_id": context.project_id, "user_id": context.user_id}
    return decisions().permits(context, rule, target)


def declare(default: policy.RuleDefault) -> None:
    """Have a default for a rule that only becomes known while the process runs: that of a driver's endpoint."""
    decisions().declare(default)


def authorize(context: RequestContext, rule: str, target: Mapping[str, Any] | None = None) -> None:
    """Raise Forbidden unless the rule permits it."""
    if not permits(context, rule, target):
        raise errors.Forbidden(f"Policy does not allow {rule} to be performed.")
