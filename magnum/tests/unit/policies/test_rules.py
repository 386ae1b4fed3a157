"""The rules as a whole: their names, the routes that they say they guard, and earlier releases' names for them."""

import re

import pytest
from oslo_config import cfg
from oslo_policy import generator, policy

from magnum import policies
from magnum.api import routes
from magnum.drivers import rules as drivers_rules

RULES = {rule.name: rule for rule in policies.list_rules()}

#: Names that operators' policy files may have, from the releases before this one (contract 4.4).
NAMES = """
    context_is_admin admin_api admin_or_owner admin_or_user is_user cluster_user deny_cluster_user user_or_cluster_user
    project_member project_reader admin_or_project_member admin_or_project_reader
    admin_or_project_member_deny_cluster_user admin_or_project_reader_deny_cluster_user
    project_member_deny_cluster_user project_reader_deny_cluster_user
    admin_or_project_member_user admin_or_project_reader_user admin_or_project_member_user_or_cluster_user
    bay:create bay:delete bay:detail bay:get bay:get_all bay:update
    baymodel:create baymodel:delete baymodel:detail baymodel:get baymodel:get_all baymodel:update baymodel:publish
    cluster:create cluster:delete cluster:detail cluster:get cluster:get_all cluster:update cluster:update_health_status
    cluster:resize cluster:upgrade cluster:get_one_all_projects cluster:get_all_all_projects
    cluster:detail_all_projects cluster:delete_all_projects cluster:update_all_projects cluster:upgrade_all_projects
    clustertemplate:create clustertemplate:delete clustertemplate:detail clustertemplate:get clustertemplate:get_all
    clustertemplate:update clustertemplate:publish clustertemplate:get_one_all_projects
    clustertemplate:get_all_all_projects clustertemplate:detail_all_projects clustertemplate:delete_all_projects
    clustertemplate:update_all_projects
    certificate:create certificate:get certificate:rotate_ca
    nodegroup:get nodegroup:get_all nodegroup:create nodegroup:update nodegroup:delete
    nodegroup:get_all_all_projects nodegroup:get_one_all_projects
    quota:create quota:delete quota:update quota:get_all quota:get stats:get_all magnum-service:get_all
    federation:create federation:delete federation:update federation:get federation:get_all federation:detail
    credential:rotate
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_a_name_of_earlier_releases_is_known(name: str) -> None:
    assert name in RULES


def test_no_name_is_given_twice() -> None:
    names = [rule.name for rule in policies.list_rules()]
    assert len(names) == len(set(names))


def test_every_rule_says_what_it_is_for() -> None:
    for rule in [*RULES.values(), *drivers_rules.list_rules()]:
        assert (rule.description or "").endswith("."), rule.name


def test_every_rule_that_is_made_of_others_knows_them() -> None:
    for rule in RULES.values():
        for name in re.findall(r"rule:(\w+)", rule.check_str):
            assert name in RULES, rule.name


def _path(text: str) -> str:
    return re.sub(r"\{\w+\}", "{}", text)


def _guarded() -> set[tuple[str, str, str]]:
    """Rule, method and path, as the rules say."""
    return {
        (rule.name, operation["method"], _path(operation["path"]))
        for rule in RULES.values()
        for operation in getattr(rule, "operations", ())
    }


def test_every_documented_rule_guards_what_it_says() -> None:
    """The operations in the sample policy file are routes."""
    served = {(route.method, route.path) for route in routes.table()}
    assert {(method, path) for _, method, path in _guarded()} <= served


def test_every_route_is_documented_at_its_rule() -> None:
    asked = {(route.policy, route.method, route.path) for route in routes.table() if route.policy}
    assert asked <= _guarded()


def test_the_sample_of_the_policy_file_has_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    """As ``tox -e genpolicy`` writes it."""
    arguments = ["--config-file", "etc/magnum/magnum-policy-generator.conf", "--output-file", ""]
    generator.generate_sample(arguments, cfg.ConfigOpts())
    sample = policy.parse_file_contents(
        re.sub(r'^#(?="[\w:-]+": )', "", capsys.readouterr().out, flags=re.MULTILINE)
    )
    expected = {
        rule.name: rule.check_str for rule in [*RULES.values(), *drivers_rules.list_rules()]
    }
    assert sample == expected
