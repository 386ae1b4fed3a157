"""Ask the rules: :func:`permits` answers, :func:`authorize` refuses. The operator's policy file has the last word."""

import functools
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

    def permits(self, context: RequestContext, rule: str, target: Mapping[str, Any]) -> bool:
        """See :func:`permits`."""
        key = (rule, *target.items(), *_identity(context))
        remembered = self._answers.get(key)
        if remembered is not None:
            return remembered
        credentials = {**context.to_policy_values(), "is_bay_user": context.is_bay_user}
        answer = bool(self._enforcer.enforce(rule, target, credentials))
        self._answers.set(key, answer, REMEMBERED)
        return answer


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


def authorize(context: RequestContext, rule: str, target: Mapping[str, Any] | None = None) -> None:
    """Raise Forbidden unless the rule permits it."""
    if not permits(context, rule, target):
        raise errors.Forbidden(f"Policy does not allow {rule} to be performed.")
