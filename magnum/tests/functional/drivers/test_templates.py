"""The templates of every driver on a real Heat, with all kinds of bays: validated, previewed, built, deleted.

Servers, networks and so on are stand-ins with the real types' properties; what the same bays become in a real Nova
and Neutron is in ``magnum/tests/functional/cloud/test_drivers.py``.
"""

import time
import uuid
from typing import Any

import pytest
from heatclient import exc

from magnum.drivers.contract import InvalidOption
from magnum.drivers.heat.stack import Launch
from magnum.tests.drivers import switches, tree
from magnum.tests.drivers.heat_tree import tree as tree_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
with_heat = pytest.mark.parametrize("name", tree.HEAT)

#: Seconds until a stack of stand-ins has to be there, or gone. Only a hang takes that long.
PATIENCE = 400.0
#: Bays that are built: the plain one, and one with all that can be had at once.
BUILT: tuple[switches.Combination, ...] = (
    {},
    {"balancer": "on", "volume": "on", "masters": "three", "workers": "two", "proxy": "on"},
    {"network": "existing subnet", "floating": "off", "key": "off", "workers": "none"},
)


def launches(name: str, combinations: list[switches.Combination]) -> list[Launch]:
    """What the driver makes of those combinations that it does not refuse."""
    made = [switches.launch(name, switches.work(name, one)) for one in combinations]
    return [one for one in made if isinstance(one, Launch)]


def preview(heat: Any, launch: Launch) -> Any:
    """Have Heat say what it would make. It looks at every property of every resource, nested ones too."""
    return heat.stacks.preview(
        stack_name="preview",
        template=launch.template,
        files=dict(launch.files),
        parameters=dict(launch.parameters),
        environment=dict(launch.environment),
    )


def validate(heat: Any, launch: Launch) -> Any:
    """Have Heat look at the template with its parameters."""
    environment = {**launch.environment, "parameters": dict(launch.parameters)}
    return heat.stacks.validate(
        template=launch.template, files=dict(launch.files), environment=environment
    )


@with_heat
def test_every_two_settings_together_are_validated(name: str, real_heat: Any) -> None:
    found = launches(name, switches.pairs(name))
    assert len(found) > 5
    for launch in found:
        assert validate(real_heat, launch)["Parameters"]


@with_heat
def test_every_shape_that_the_resources_can_have_is_previewed(name: str, real_heat: Any) -> None:
    """Of all combinations of what decides the resources, one for each shape that our own engine finds among them."""
    found = launches(name, list(switches.structural()))
    shapes = {tree_of(launch).shape(): launch for launch in found}
    for launch in shapes.values():
        assert preview(real_heat, launch).resources
    print(f"{name}: {len(found)} combinations of {len(shapes)} shapes")
    assert len(found) >= 8 and len(shapes) >= 4


@with_heat
def test_every_two_settings_together_are_previewed(name: str, real_heat: Any) -> None:
    for launch in launches(name, switches.pairs(name)):
        assert preview(real_heat, launch).resources


@with_heat
def test_heat_would_find_something(name: str, real_heat: Any) -> None:
    (launch,) = launches(name, [{}])
    files = {**launch.files}
    for file, text in launch.files.items():
        files[file] = text.replace("user_data_format: RAW", "user_data_formaat: RAW")
    assert files != launch.files
    with pytest.raises(exc.HTTPBadRequest, match="user_data_formaat"):
        preview(real_heat, Launch(launch.template, files, launch.parameters, launch.environment))


@pytest.mark.parametrize("combination", BUILT, ids=["plain", "everything", "small"])
@with_heat
def test_a_stack_is_built_and_deleted(
    name: str, combination: switches.Combination, real_heat: Any
) -> None:
    """Every node of it reports by the URL in its user data; its outputs are what the driver reads."""
    work = switches.work(name, switches.as_far_as_possible(name, combination))
    definition = tree.heat_driver(name).definition
    try:
        launch = definition.launch(work)
    except InvalidOption as error:
        pytest.fail(f"the driver should build this: {error.text}")
    # Nobody else's, nor that of another try: Heat keeps a name while its stack is there.
    title = f"bay-{name}-{uuid.uuid4().hex[:8]}".replace("_", "-")
    ident = real_heat.stacks.create(
        stack_name=title,
        template=launch.template,
        files=dict(launch.files),
        parameters=dict(launch.parameters),
        environment=dict(launch.environment),
    )["stack"]["id"]
    stack = ended(real_heat, ident)
    assert stack.stack_status == "CREATE_COMPLETE", stack.stack_status_reason
    outputs = {one["output_key"]: one["output_value"] for one in stack.outputs}
    facts = definition.facts(work, ident, outputs)
    assert facts.api_address
    for group in work.node_groups:
        addresses = facts.node_groups[group.name].addresses
        assert addresses is not None and len(set(addresses)) == group.node_count, group.name
    real_heat.stacks.delete(ident)
    assert ended(real_heat, ident).stack_status == "DELETE_COMPLETE"


def ended(heat: Any, ident: str) -> Any:
    """The stack, once Heat has done with it."""
    end = time.monotonic() + PATIENCE
    while True:
        stack = heat.stacks.get(ident)
        if not stack.stack_status.endswith("IN_PROGRESS"):
            return stack
        assert time.monotonic() < end, stack.stack_status_reason
        time.sleep(0.3)
