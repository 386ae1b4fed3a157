"""The switches of a bay, and which combinations of them are looked at.

Every two settings of any two switches stand together in one combination at least (:func:`pairs`); what the conditions
of templates hang on is combined in full (:func:`structural`).
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from magnum.drivers.contract import InvalidOption, NotSupported, Work
from magnum.drivers.heat.stack import Launch
from magnum.tests.drivers import tree

#: One setting of a switch: which attributes of the bay and so on it changes.
Setting = Mapping[str, Mapping[str, Any]]
#: Switches by name, each with its settings.
Switches = Mapping[str, Mapping[str, Setting]]
#: A combination: the setting chosen for each switch, by name.
Combination = Mapping[str, str]

_PROXY = "http://someone:secret@proxy.example.com:3128"
#: What decides which resources there are.
STRUCTURAL: Switches = {
    "network": {
        "own": {},
        "existing": {"bay": {"fixed_network": "net"}},
        "existing subnet": {"bay": {"fixed_network": "net", "fixed_subnet": "sub"}},
    },
    "balancer": {"off": {}, "on": {"bay": {"master_lb_enabled": True}}},
    "floating": {"on": {}, "off": {"bay": {"floating_ip_enabled": False}}},
    "volume": {
        "off": {},
        "on": {"master": {"docker_volume_size": 3}, "worker": {"docker_volume_size": 4}},
    },
    "tls": {"on": {}, "off": {"baymodel": {"tls_disabled": True}}},
}
#: What only the nodes are told, or a property of a resource.
OTHERS: Switches = {
    "proxy": {
        "off": {},
        "on": {
            "baymodel": {
                "http_proxy": _PROXY,
                "https_proxy": _PROXY,
                "no_proxy": "10.0.0.0/8,local",
            }
        },
    },
    "masters": {"one": {}, "three": {"master": {"node_count": 3}}},
    "workers": {
        "one": {},
        "none": {"worker": {"node_count": 0}},
        "two": {"worker": {"node_count": 2}},
    },
    "registry": {
        "off": {},
        "insecure": {"baymodel": {"insecure_registry": "registry.example.com:5000"}},
        "own": {"baymodel": {"registry_enabled": True}},
    },
    "key": {"on": {}, "off": {"bay": {"ssh_public_key": None}}},
    "external": {"on": {}, "off": {"baymodel": {"external_network_id": None}}},
    "dns": {"on": {}, "off": {"baymodel": {"dns_nameserver": None}}},
    "volume driver": {
        "off": {},
        "cinder": {"baymodel": {"volume_driver": "cinder"}},
        "rexray": {"baymodel": {"volume_driver": "rexray"}},
    },
    "network driver": {
        name: {"baymodel": {"network_driver": name}} if name else {}
        for name in ("", "flannel", "calico", "docker")
    },
    "storage driver": {"off": {}, "overlay2": {"baymodel": {"docker_storage_driver": "overlay2"}}},
    "port": {"off": {}, "on": {"baymodel": {"apiserver_port": 8443}}},
}
ALL: Switches = {**STRUCTURAL, **OTHERS}


def structural() -> Iterator[Combination]:
    """Every combination of the structural switches."""
    for chosen in itertools.product(*STRUCTURAL.values()):
        yield dict(zip(STRUCTURAL, chosen, strict=True))


def pairs(driver: str) -> list[Combination]:
    """Few combinations that have every two settings together, of those that a driver can build. Always the same."""
    return _pairs(_possible(driver))


def as_far_as_possible(driver: str, combination: Combination) -> Combination:
    """The combination without the settings that a driver never takes, such as volumes on bare metal."""
    possible = _possible(driver)
    return {name: one for name, one in combination.items() if one in possible[name]}


def _possible(driver: str) -> Switches:
    """The switches with the settings that the driver takes, be it with one other setting only."""
    singles = [(one, a) for one in ALL for a in ALL[one]]

    def is_possible(name: str, setting: str) -> bool:
        tried = ({name: setting, one: a} for one, a in singles if one != name)
        return any(not isinstance(launch(driver, work(driver, two)), str) for two in tried)

    return {
        name: {setting: given for setting, given in settings.items() if is_possible(name, setting)}
        for name, settings in ALL.items()
    }


def _pairs(of: Switches) -> list[Combination]:
    left = {
        frozenset({(one, a), (other, b)})
        for one, other in itertools.combinations(of, 2)
        for a in of[one]
        for b in of[other]
    }
    found: list[Combination] = []
    while left:
        made: dict[str, str] = dict(sorted(min(left, key=sorted)))
        for name, settings in of.items():
            if name not in made:
                gains = {setting: _gain(left, made, name, setting) for setting in settings}
                made[name] = max(gains, key=lambda setting: gains[setting])
        left -= {frozenset(pair) for pair in itertools.combinations(made.items(), 2)}
        found.append({name: made[name] for name in of})
    return found


def _gain(left: set[frozenset[tuple[str, str]]], made: Combination, name: str, setting: str) -> int:
    return sum(frozenset({(name, setting), other}) in left for other in made.items())


def work(driver: str, combination: Combination, **more: Mapping[str, Any]) -> Work:
    """A bay of a driver with the switches set; ``more`` changes it besides, as :func:`tree.work` does."""
    changes: dict[str, dict[str, Any]] = {}
    for name, setting in combination.items():
        for part, values in ALL[name][setting].items():
            changes.setdefault(part, {}).update(values)
    for part, values in more.items():
        changes.setdefault(part, {}).update(values)
    return tree.work(driver, **changes)


def launch(driver: str, made: Work) -> Launch | str:
    """What the bay is launched from; the driver's words where it refuses to."""
    try:
        return tree.heat_driver(driver).definition.launch(made)
    except (InvalidOption, NotSupported) as error:
        return error.text


def usable(driver: str, combinations: Sequence[Combination]) -> tuple[list[Combination], list[str]]:
    """The combinations that a driver builds, and its words for those that it refuses."""
    answers = [(one, launch(driver, work(driver, one))) for one in combinations]
    return (
        [one for one, answer in answers if not isinstance(answer, str)],
        [answer for _, answer in answers if isinstance(answer, str)],
    )
