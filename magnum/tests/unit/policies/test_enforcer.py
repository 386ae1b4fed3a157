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


LOOKING = ("get", "get_all", "detail")
DOING = ("create", "update", "delete")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize(
    ("noun", "more"),
    [
        ("bay", ("resize", "upgrade")),
        ("cluster", ("resize", "upgrade")),
        ("baymodel", ()),
        ("clustertemplate", ()),
    ],
)
def test_the_default_rules(noun: str, more: tuple[str, ...]) -> None:
    across = {
        rule.name.split(":")[1]
        for rule in policies.list_rules()
        if rule.name.startswith(f"{noun}:") and rule.name.endswith("_all_projects")
    }
    wide = ("get_one", "get_all", "detail", "update", "delete", *more)
    assert across == {f"{action}_all_projects" for action in wide}
    member, reader = a_caller("member", "reader"), a_caller("reader")
    admin, bay_user = a_caller("admin", project="p9"), a_caller("member", "reader", bay_user=True)
    for action in (*LOOKING, *DOING, *more):
        rule = f"{noun}:{action}"
        assert enforcer.permits(member, rule)
        assert enforcer.permits(reader, rule) is (action in LOOKING)
        assert not enforcer.permits(member, rule, THEIRS)
        assert not enforcer.permits(bay_user, rule)
        assert enforcer.permits(admin, rule, THEIRS)
        assert not enforcer.permits(a_caller("guest"), rule)
    for action in across:
        assert enforcer.permits(admin, f"{noun}:{action}")
        assert not enforcer.permits(member, f"{noun}:{action}")


@pytest.mark.usefixtures("clock")
def test_a_role_is_what_keystone_says_it_is() -> None:
    """Its roles imply one another, and it names them all; a manager that implies nothing may be anybody."""
    manager = a_caller("manager", "member", "reader")
    assert enforcer.permits(manager, "bay:create")
    assert enforcer.permits(manager, "bay:get")
    assert not enforcer.permits(manager, "quota:get_all")
    for rule in ("bay:create", "bay:get"):
        assert not enforcer.permits(a_caller("manager"), rule)


@pytest.mark.usefixtures("clock")
def test_a_member_may_look_even_where_there_are_no_readers() -> None:
    member = a_caller("member")
    assert enforcer.permits(member, "bay:get")
    assert not enforcer.permits(member, "bay:get", THEIRS)


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


# --- files of operators from earlier releases ------------------------------------------------------------------------

OWN_DOMAIN = "the-domain-of-bays-users"


def a_bays_own_user(user: str = "n1") -> RequestContext:
    return RequestContext(
        user_id=user,
        user_domain_id=OWN_DOMAIN,
        project_id="p1",
        roles=["member", "reader"],
        is_bay_user=True,
        overwrite=False,
    )


OURS = {"project_id": "p1", "user_id": "u1", "bay_user_id": "n1"}


@pytest.mark.usefixtures("clock")
def test_the_earlier_words_for_a_bays_own_user_still_keep_it_out(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        '"deny_cluster_user": "not domain_id:%(trustee_domain_id)s"\n'
    )
    assert not enforcer.permits(a_bays_own_user(), "bay:get", OURS)
    assert enforcer.permits(a_caller("member"), "bay:get", OURS)


@pytest.mark.usefixtures("clock")
def test_the_earlier_words_for_a_bays_own_user_still_let_it_in(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        '"cluster_user": "user_id:%(trustee_user_id)s"\n'
        '"certificate:create": "rule:user_or_cluster_user"\n'
    )
    assert enforcer.permits(a_bays_own_user(), "certificate:create", OURS)
    assert not enforcer.permits(a_bays_own_user("n2"), "certificate:create", OURS)
    assert enforcer.permits(a_caller(), "certificate:create", OURS)


@pytest.mark.usefixtures("clock")
def test_the_earlier_words_for_the_administrator_still_mean_him(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        '"admin_or_owner": "is_admin:True or project_id:%(project_id)s"\n'
        '"bay:get": "rule:admin_or_owner"\n'
    )
    admin = a_caller("admin", project="p9")
    assert not enforcer.permits(admin, "bay:get", OURS)
    admin.is_admin = True  # as every request's caller is asked for first
    assert enforcer.permits(admin, "bay:get", OURS)
    assert enforcer.permits(a_caller("whatever"), "bay:get", OURS)
    assert not enforcer.permits(a_caller("whatever", project="p2"), "bay:get", OURS)
