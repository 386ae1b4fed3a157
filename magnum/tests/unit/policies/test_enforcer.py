"""Rules and how their answers are remembered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from magnum import policies
from magnum.common import errors
from magnum.common.context import RequestContext
from magnum.conf import CONF
from magnum.policies import enforcer


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """A fresh enforcer that goes by this clock, with its policy file in `tmp_path`."""
    CONF(args=[], project="magnum", default_config_files=[], default_config_dirs=[])
    enforcer.decisions.cache_clear()
    made = enforcer.decisions()
    clock = Clock()
    monkeypatch.setattr(made._answers, "_clock", clock)
    CONF.set_override("policy_file", str(tmp_path / "policy.yaml"), group="oslo_policy")
    made._enforcer.policy_file = CONF.oslo_policy.policy_file
    yield clock
    CONF.clear_override("policy_file", group="oslo_policy")
    enforcer.decisions.cache_clear()


def a_caller(*roles: str, project: str | None = "p1", bay_user: bool = False) -> RequestContext:
    return RequestContext(
        user_id="u1",
        project_id=project,
        roles=list(roles),
        is_bay_user=bay_user,
        overwrite=False,
    )


THEIRS = {"project_id": "p2", "user_id": "u2"}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("noun", ["bay", "baymodel"])
def test_the_default_rules(noun: str) -> None:
    looking = ["get", "get_all", "detail"]
    doing = ["create", "update", "delete"]
    across = [
        rule.name.split(":")[1]
        for rule in policies.list_rules()
        if rule.name.startswith(f"{noun}:") and rule.name.endswith("_all_projects")
    ]
    assert sorted(across) == [
        *("delete_all_projects", "detail_all_projects", "get_all_all_projects"),
        *("get_one_all_projects", "update_all_projects"),
    ]
    member, reader = a_caller("member", "reader"), a_caller("reader")
    admin, bay_user = a_caller("admin", project="p9"), a_caller("member", "reader", bay_user=True)
    for action in looking + doing:
        rule = f"{noun}:{action}"
        assert enforcer.permits(member, rule)
        assert enforcer.permits(reader, rule) is (action in looking)
        assert not enforcer.permits(member, rule, THEIRS)
        assert not enforcer.permits(bay_user, rule)
        assert enforcer.permits(admin, rule, THEIRS)
        assert not enforcer.permits(a_caller("guest"), rule)
    for action in across:
        assert enforcer.permits(admin, f"{noun}:{action}")
        assert not enforcer.permits(member, f"{noun}:{action}")


@pytest.mark.usefixtures("clock")
def test_publishing_is_the_administrators() -> None:
    assert enforcer.permits(a_caller("admin"), "baymodel:publish")
    assert not enforcer.permits(a_caller("member", "reader"), "baymodel:publish")


@pytest.mark.usefixtures("clock")
def test_what_is_not_permitted_is_forbidden() -> None:
    enforcer.authorize(a_caller("member"), "bay:create")
    with pytest.raises(errors.Forbidden, match="bay:create"):
        enforcer.authorize(a_caller("reader"), "bay:create")
    with pytest.raises(errors.Forbidden):
        enforcer.authorize(a_caller("admin"), "bay:no_such_rule")


def test_the_operators_file_has_the_last_word_after_a_moment(clock: Clock, tmp_path: Path) -> None:
    caller = a_caller("member")
    assert enforcer.permits(caller, "bay:create")
    (tmp_path / "policy.yaml").write_text('"bay:create": "!"\n')
    assert enforcer.permits(caller, "bay:create")
    clock.now += enforcer.REMEMBERED
    assert not enforcer.permits(caller, "bay:create")


@pytest.mark.usefixtures("clock")
def test_an_answer_is_for_one_caller_rule_and_target() -> None:
    assert enforcer.permits(a_caller("member"), "bay:update")
    assert not enforcer.permits(a_caller("member"), "bay:update", THEIRS)
    assert not enforcer.permits(
        a_caller("member", project="p2"), "bay:update", {**THEIRS, "project_id": "p1"}
    )
    assert not enforcer.permits(a_caller("reader"), "bay:update")
    assert not enforcer.permits(a_caller("member", bay_user=True), "bay:update")
    assert not enforcer.permits(a_caller("member"), "bay:update_all_projects")
