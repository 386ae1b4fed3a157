"""Every attribute of a bay, a baymodel and a node group has an effect on what is built, or is refused by name.

Each is changed alone, on a bay where it can matter. What counts as an effect is anything in the tree of stacks:
a property of a resource, a file on a node, a resource more or less.
"""

import itertools
from dataclasses import fields
from typing import Any

import pytest

from magnum.drivers.common.options import Options
from magnum.drivers.contract import Bay, BayModel, InvalidOption, NodeGroup, NotSupported, Work
from magnum.tests.drivers import tree
from magnum.tests.drivers.heat_tree import tree as tree_of

#: Attributes that are not for the templates, and what they are for instead.
NOT_FOR_TEMPLATES = {
    ("bay", "uuid"): "the stack's name",
    ("bay", "project_id"): "where the stack is",
    ("bay", "labels"): "each option has its own test",
    ("bay", "create_timeout"): "Heat's own limit of time",
    ("bay", "stack_id"): "what was observed",
    ("bay", "api_address"): "what was observed",
    ("bay", "driver_version"): "what was recorded",
    ("bay", "template_version"): "what was recorded",
    ("bay", "hints"): "the placement",
    ("bay", "site"): "the placement",
    ("baymodel", "uuid"): "who it is",
    ("baymodel", "name"): "who it is",
    ("baymodel", "coe"): "which driver is chosen",
    ("baymodel", "cluster_distro"): "which driver is chosen",
    ("baymodel", "server_type"): "which driver is chosen",
    **{(part, name): "who it is" for part in ("master", "worker") for name in ("uuid", "name", "role")},
    **{(part, "labels"): "options are the bay's" for part in ("master", "worker")},
    **{(part, f"node_{of}"): "only where drivers can" for part in ("master", "worker") for of in ("labels", "taints")},
}  # fmt: skip

#: What each attribute is changed to, and on what kind of bay: (value, changes made before).
CHANGES: dict[tuple[str, str], tuple[Any, dict[str, dict[str, Any]]]] = {
    ("bay", "name"): ("another", {}),
    ("bay", "ssh_public_key"): ("ssh-rsa AAAA another", {}),
    ("bay", "master_lb_enabled"): (True, {}),
    ("bay", "floating_ip_enabled"): (False, {}),
    ("bay", "fixed_network"): ("net", {}),
    ("bay", "fixed_subnet"): ("sub", {"bay": {"fixed_network": "net"}}),
    ("bay", "discovery_url"): ("https://discovery.example.com/token", {}),
    ("baymodel", "image_id"): ("another", {}),
    ("baymodel", "external_network_id"): ("another", {}),
    ("baymodel", "dns_nameserver"): ("192.0.2.53", {}),
    ("baymodel", "apiserver_port"): (7443, {}),
    ("baymodel", "http_proxy"): ("http://proxy.example.com:3128", {}),
    ("baymodel", "https_proxy"): ("http://proxy.example.com:3128", {}),
    ("baymodel", "no_proxy"): ("192.0.2.0/24", {}),
    ("baymodel", "insecure_registry"): ("registry.example.com:5000", {}),
    ("baymodel", "registry_enabled"): (True, {}),
    ("baymodel", "tls_disabled"): (True, {}),
    ("baymodel", "docker_storage_driver"): ("overlay2", {}),
    ("master", "node_count"): (3, {}),
    ("worker", "node_count"): (2, {}),
    **{(part, "flavor_id"): ("m1.large", {}) for part in ("master", "worker")},
    **{(part, "image_id"): ("another", {}) for part in ("master", "worker")},
    **{(part, "docker_volume_size"): (7, {}) for part in ("master", "worker")},
    **{(part, "is_default"): (False, {}) for part in ("master", "worker")},
}
#: Attributes that take certain words. One of them has to be built; the rest is refused, or has an effect.
WORDS = {
    "network_driver": ("flannel", "calico", "docker", "unheard-of"),
    "volume_driver": ("cinder", "rexray", "unheard-of"),
}

with_heat = pytest.mark.parametrize("name", tree.HEAT)


def built(name: str, work: Work) -> dict[str, Any]:
    """Everything that a bay becomes, by its place."""
    launch = tree.heat_driver(name).definition.launch(work)
    made = tree_of(launch)
    found: dict[str, Any] = {place: [kind, given] for place, kind, given in made.everything()}
    return found | {f"{one.place} user data": one.user_data for one in made.servers()}


def changed(name: str, part: str, attribute: str, value: Any, before: dict[str, Any]) -> bool:
    """Whether another value builds something else. Refusals are raised."""
    plain = built(name, tree.work(name, **before))
    changes = {**before, part: {**before.get(part, {}), attribute: value}}
    return built(name, tree.work(name, **changes)) != plain


@pytest.mark.parametrize(
    ("part", "kind"),
    [("bay", Bay), ("baymodel", BayModel), ("master", NodeGroup), ("worker", NodeGroup)],
)
def test_no_attribute_was_forgotten_here(part: str, kind: type) -> None:
    known = {name for where, name in (*NOT_FOR_TEMPLATES, *CHANGES) if where == part} | (
        {*WORDS} if part == "baymodel" else set()
    )
    assert known == {one.name for one in fields(kind)}


@pytest.mark.parametrize(("part", "attribute"), CHANGES, ids=lambda text: text)
@with_heat
def test_an_attribute_has_an_effect_or_is_refused(name: str, part: str, attribute: str) -> None:
    value, before = CHANGES[part, attribute]
    try:
        assert changed(name, part, attribute, value, before), "it has no effect"
    except (InvalidOption, NotSupported) as error:
        word = "group" if attribute == "is_default" else attribute
        assert word in error.text, error.text


@pytest.mark.parametrize("attribute", WORDS)
@with_heat
def test_a_word_that_nobody_knows_is_refused_by_name(name: str, attribute: str) -> None:
    with pytest.raises((InvalidOption, NotSupported), match=attribute):
        built(name, tree.work(name, baymodel={attribute: "unheard-of"}))


@pytest.mark.parametrize("attribute", WORDS)
@with_heat
def test_different_words_build_different_things(name: str, attribute: str) -> None:
    """Two words that are both taken cannot mean the same, but for the one that is the default."""
    made: list[dict[str, Any]] = []
    for word in (None, *WORDS[attribute]):
        try:
            made.append(built(name, tree.work(name, baymodel={attribute: word})))
        except (InvalidOption, NotSupported) as error:
            assert attribute in error.text, error.text
    distinct = [one for index, one in enumerate(made) if one not in made[:index]]
    assert len(distinct) >= len(made) - 1


def options() -> list[tuple[str, str]]:
    """Every option of every driver."""
    return [
        (name, option)
        for name in tree.HEAT
        for option in Options(f"magnum.drivers.{name}").schema["properties"]
    ]


#: Bays on which an option has its effect, where it has none on the plain one.
BAYS: tuple[dict[str, dict[str, Any]], ...] = (
    {},
    {"master": {"docker_volume_size": 3}, "worker": {"docker_volume_size": 3}},
    {"master": {"node_count": 3}, "bay": {"master_lb_enabled": True}},
    {"baymodel": {"volume_driver": "cinder"}},
    {"baymodel": {"volume_driver": "rexray"}},
    {"baymodel": {"network_driver": "calico"}},
    {"baymodel": {"registry_enabled": True}},
    {"baymodel": {"tls_disabled": True}},
)


@pytest.mark.parametrize(("name", "option"), options())
def test_an_option_has_an_effect(name: str, option: str) -> None:
    """On one of the bays, and with the other option that a refusal names."""
    properties = Options(f"magnum.drivers.{name}").schema["properties"]
    tried = set()
    for text, bay in itertools.product(others(properties[option]), BAYS):
        companions: list[dict[str, str]] = [{}]
        for labels in companions:
            try:
                if changed(
                    name, "bay", "labels", {**labels, option: text}, with_labels(bay, labels)
                ):
                    return
            except (InvalidOption, NotSupported) as error:
                tried.add(error.text)
                if not labels:
                    named = [one for one in properties if one != option and one in error.text]
                    companions += [
                        {one: value} for one in named for value in others(properties[one])
                    ]
    pytest.fail(f"no value had an effect on any bay; refused were: {tried}")


def with_labels(
    bay: dict[str, dict[str, Any]], labels: dict[str, str]
) -> dict[str, dict[str, Any]]:
    """The bay with labels; without those that it would be refused for alone."""
    return {**bay, "bay": {**bay.get("bay", {}), "labels": {}}} if labels else bay


def others(declared: dict[str, Any]) -> list[str]:
    """Texts of a label that stand for other values than the default. ``examples`` may name some."""
    default = declared.get("default")
    given = [str(one) for one in declared.get("examples", []) if one != default]
    match declared.get("type", "string"):
        case "boolean":
            return [*given, "false" if default else "true"]
        case "integer" | "number":
            low, high = declared.get("minimum", 0), declared.get("maximum", 10**6)
            near = [(default or low) + 1, (default or high) - 1, low, high]
            return [*given, *(str(one) for one in near if low <= one <= high and one != default)]
        case "array":
            inner = declared.get("items", {}).get("enum", ["another"])
            return [*given, *(word for word in inner if [word] != default)]
    words = [word for word in declared.get("enum", []) if word not in (default, "")]
    usual = [
        "another",
        "10.7.0.0/16",
        "10.7.0.1",
        "1.2.3",
        "v1.2.3",
        "https://example.com/x",
        "5m",
        "a" * 64,
    ]
    usual += ["/etc/another.yaml", "10.254.0.11", "https://example.com/x#sha256=" + "a" * 64]
    return [*given, *(words or usual)]
