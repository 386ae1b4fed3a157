"""The templates of every driver in combinations of its switches: they hang together, and nodes are told what they need.

What the real Heat says of the same combinations is in ``magnum/tests/functional/cloud/test_templates.py``.
"""

import itertools
import json
from typing import Any

import pytest

from magnum.drivers.heat.search import Mark
from magnum.drivers.heat.template import bundle
from magnum.tests.drivers import node_files, switches, tree
from magnum.tests.drivers.heat_tree import FakeHeatTree
from magnum.tests.drivers.heat_tree import tree as tree_of
from magnum.tests.unit.drivers.hot import load

#: What Nova takes of user data, before base64.
LONGEST_USER_DATA = 65535 * 3 // 4
#: Types that have neither a name nor tags in their service, or go with what they are a part of.
NO_MARK = (
    "OS::Heat::",
    "AWS::CloudFormation::",
    "OS::Neutron::RouterInterface",
    "OS::Octavia::Listener",
    "OS::Octavia::Pool",
    "OS::Octavia::HealthMonitor",
    "OS::Cinder::VolumeAttachment",
)
with_heat = pytest.mark.parametrize("name", tree.HEAT)


def made(name: str, combination: switches.Combination) -> FakeHeatTree | None:
    """The tree of a combination; None where the driver refuses it."""
    launch = switches.launch(name, switches.work(name, combination))
    return None if isinstance(launch, str) else tree_of(launch)


def templates(name: str) -> dict[str, Any]:
    """Every template of a driver, read."""
    found = bundle(f"magnum.drivers.{name}", tree.heat_driver(name).definition.main)
    texts = {"cluster.yaml": found.template, **found.files}
    return {file: load(text) for file, text in texts.items() if file.endswith(".yaml")}


@with_heat
def test_the_pairs_are_whole(name: str) -> None:
    made = switches.pairs(name)
    for one, other in itertools.permutations(switches.ALL, 2):
        settings = [{combination[switch] for combination in made} for switch in (one, other)]
        seen = {(combination[one], combination[other]) for combination in made}
        assert len(seen) == len(settings[0]) * len(settings[1]), (one, other)
    assert 6 < len(made) < 40


@with_heat
def test_the_plain_bay_is_built(name: str) -> None:
    plain = made(name, {})
    assert plain is not None
    assert len(list(plain.servers())) == 2


@with_heat
def test_most_combinations_are_built_and_the_others_refused_in_words(name: str) -> None:
    combinations = [*switches.pairs(name), *switches.structural()]
    usable, refused = switches.usable(name, combinations)
    assert len(usable) > len(combinations) // 4, set(refused)
    assert all(text.strip().endswith(".") for text in refused)


@with_heat
def test_every_combination_hangs_together(name: str) -> None:
    """What is referred to is there, each output can be worked out, and the user data is short enough."""
    for combination in [*switches.pairs(name), *switches.structural()]:
        found = made(name, combination)
        if found is None:
            continue
        for stack in found.stacks():
            for output in stack.template.get("outputs", {}):
                stack.output(output)
        for server in found.servers():
            assert len(server.user_data.encode()) < LONGEST_USER_DATA, server.place
            node_files.read(server.user_data)


@with_heat
def test_what_was_asked_for_is_made_and_nothing_else(name: str) -> None:
    for combination in switches.structural():
        found = made(name, combination)
        if found is None:
            continue
        types = {kind for _, kind, _ in found.everything()}
        assert ("OS::Neutron::Net" in types) == (combination["network"] == "own"), combination
        assert ("OS::Octavia::LoadBalancer" in types) == (combination["balancer"] == "on")
        assert ("OS::Neutron::FloatingIP" in types) == (combination["floating"] == "on")
        assert ("OS::Cinder::Volume" in types) == (combination["volume"] == "on")


@with_heat
def test_every_node_reports_after_its_server_was_made(name: str) -> None:
    found = made(name, {})
    assert found is not None
    kinds = [kind for _, kind, _ in found.everything()]
    assert kinds.count("OS::Heat::WaitCondition") == kinds.count("OS::Nova::Server")


@with_heat
def test_everything_that_is_made_is_found_by_the_search_of_a_deletion(name: str) -> None:
    marked = 0
    for combination in switches.pairs(name):
        found = made(name, combination)
        for place, kind, properties in found.everything() if found else ():
            if not kind.startswith(NO_MARK):
                shown = {**properties, **(properties.get("value_specs") or {})}
                assert Mark(tree.UUID).is_on(shown), f"{place}: {kind}"
                marked += 1
    assert marked


@with_heat
def test_what_the_definition_gives_is_what_the_template_declares(name: str) -> None:
    definition = tree.heat_driver(name).definition
    declared = templates(name)["cluster.yaml"]["parameters"]
    work = tree.work(name)
    given = {*definition.parameters(work), *definition.launch(work).parameters}
    assert given == declared.keys()
    assert definition.mutable <= declared.keys()


@with_heat
def test_every_parameter_and_condition_is_used(name: str) -> None:
    for file, template in templates(name).items():
        text = json.dumps({**template, "parameters": None}, default=str)
        for parameter in template.get("parameters", {}):
            uses = (f'{{"get_param": "{parameter}"}}', f'{{"get_param": ["{parameter}",')
            assert any(use in text for use in uses), f"{file}: {parameter}"
        for condition in template.get("conditions", {}):
            uses_of = text.replace(f'"{condition}": ', "")
            assert f'"{condition}"' in uses_of, f"{file}: {condition}"


@with_heat
def test_what_may_hold_a_secret_is_hidden(name: str) -> None:
    """Heat shows every other parameter to whoever may look at the stack."""
    work = tree.work(name, baymodel={"http_proxy": "http://a:b@c:1"})
    launch = tree.heat_driver(name).definition.launch(work)
    needles = {*tree_secrets(work), "http://a:b@c:1"}
    for stack in tree_of(launch).stacks():
        for parameter, declared in stack.template["parameters"].items():
            text = json.dumps(stack.parameters[parameter], default=str)
            shown = json.loads(f"[{text}]")
            held = [needle for needle in needles if any(needle in leaf for leaf in leaves(shown))]
            assert not held or declared.get("hidden") is True, f"{stack.place}{parameter}"


@with_heat
def test_no_output_tells_a_secret(name: str) -> None:
    work = tree.work(name, baymodel={"http_proxy": "http://a:b@c:1"})
    found = tree_of(tree.heat_driver(name).definition.launch(work))
    for stack in found.stacks():
        for output in stack.template.get("outputs", {}):
            told = list(leaves(stack.output(output)))
            for needle in {*tree_secrets(work), "http://a:b@c:1"}:
                assert not any(needle in leaf for leaf in told), f"{stack.place}{output}"


def tree_secrets(work: Any) -> set[str]:
    """What the driver was given by the secrets of the bay; ask after the launch."""
    return set(work.secrets.needles())


def leaves(value: Any) -> list[str]:
    """Every text in a value."""
    if isinstance(value, dict):
        return [leaf for pair in value.items() for part in pair for leaf in leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in leaves(part)]
    return [value] if isinstance(value, str) else []


@with_heat
def test_files_with_secrets_are_for_root_alone(name: str) -> None:
    found = made(name, {"proxy": "on"})
    assert found is not None
    for server in found.servers():
        files = node_files.read(server.user_data).files
        for path in ("/etc/magnum/node.json", "/etc/magnum/credential.json"):
            assert path not in files or files[path].mode == "0600", path
        assert "/etc/magnum/node.json" in files


@with_heat
def test_what_may_change_does_not_reach_a_node_s_first_boot(name: str) -> None:
    """Otherwise scaling would write the user data of nodes that run anew."""
    one, many = (
        tree_of(
            tree.heat_driver(name).definition.launch(
                tree.work(
                    name,
                    worker={"node_count": count},
                    parameters={"nodes_to_remove": removed},
                )
            )
        )
        for count, removed in ((1, []), (5, ["x"]))
    )
    before = {server.place: server.user_data for server in one.servers()}
    after = {server.place: server.user_data for server in many.servers()}
    assert len(after) == len(before) + 4
    assert {place: after[place] for place in before} == before


@with_heat
def test_steps_are_run_in_the_order_of_their_names(name: str) -> None:
    """Two steps of one number would be run in an order that nobody meant."""
    wanted = switches.as_far_as_possible(name, {"volume": "on", "proxy": "on"})
    found = made(name, wanted)
    assert found is not None
    for server in found.servers():
        files = node_files.read(server.user_data).files
        steps = [path.rpartition("/")[2] for path in files if path.startswith("/opt/magnum/steps/")]
        numbers = [step.partition("-")[0] for step in steps]
        assert all(number.isdigit() and len(number) == 2 for number in numbers), steps
        assert len(set(numbers)) == len(numbers), steps
        for path, file in files.items():
            assert (file.mode == "0755") == file.text.startswith("#!"), path
