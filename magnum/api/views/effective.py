"""What a bay is made of in effect: every attribute and option with its value, and where that comes from."""

from typing import Any, Final

from magnum.api.spelling import Spelling
from magnum.db.models import Bay
from magnum.drivers import options
from magnum.drivers.contract import Driver
from magnum.drivers.options import Options

#: Where a value comes from.
BAY, BAYMODEL, DRIVER, CONFIGURATION = "bay", "baymodel", "driver default", "configuration"

#: What a bay may have of its own, and its baymodel otherwise.
_OF_BOTH: Final = (
    *("flavor_id", "master_flavor_id", "docker_volume_size", "fixed_network", "fixed_subnet"),
    *("floating_ip_enabled", "master_lb_enabled"),
)
#: What only the bay has.
_OF_BAY: Final = ("node_count", "master_count", "discovery_url")
#: What only the baymodel has.
_OF_BAYMODEL: Final = (
    *("coe", "server_type", "cluster_distro", "image_id", "keypair_id", "external_network_id"),
    *("dns_nameserver", "network_driver", "volume_driver", "docker_storage_driver"),
    *("apiserver_port", "http_proxy", "https_proxy", "no_proxy", "insecure_registry"),
    *("registry_enabled", "tls_disabled"),
)

_Told = dict[str, Any]


def of_bay(bay: Bay, driver: Driver | None, spelling: Spelling, default_timeout: int) -> _Told:
    """Attributes, options of the driver, and the labels that are no options.

    :param driver: None where it is missing: then nothing is known of options, and all labels are listed as such.
    :param default_timeout: minutes that a bay without a timeout of its own has.
    """
    known = Options(options.NONE) if driver is None else options.of(driver)
    return {
        "uuid": bay.uuid,
        "driver": bay.driver,
        "attributes": {
            **{name: _own_or_not(name, bay) for name in _OF_BOTH},
            **{name: _told(getattr(bay, name), BAY) for name in _OF_BAY},
            **{name: _told(getattr(bay.baymodel, name), BAYMODEL) for name in _OF_BAYMODEL},
            spelling.timeout_key: _told(bay.create_timeout, BAY)
            if bay.create_timeout
            else _told(default_timeout, CONFIGURATION),
        },
        "options": {name: _option(name, bay, known) for name in sorted(known.declared)},
        "labels": {
            name: _told(value, _origin(name, bay))
            for name, value in sorted(bay.labels.items())
            if name not in known.declared
        },
    }


def _told(value: Any, origin: str) -> _Told:
    """What nobody has said is left to the driver."""
    return {"value": value, "origin": DRIVER if value is None else origin}


def _own_or_not(name: str, bay: Bay) -> _Told:
    value = getattr(bay, name)
    # A bay takes its baymodel's value over when it is made, and that one stays as it is while a bay uses it.
    return _told(value, BAYMODEL if value == getattr(bay.baymodel, name) else BAY)


def _option(name: str, bay: Bay, known: Options) -> _Told:
    declared = known.declared[name]
    if name in bay.labels:
        text = bay.labels[name]
        value = known.given({name: text}, strict=False).get(name, text)
        told = {"value": value, "origin": _origin(name, bay)}
    else:
        told = {"value": declared.get("default"), "origin": DRIVER}
    return {**told, "change": declared.get("x-change", "fixed")}


def _origin(name: str, bay: Bay) -> str:
    return BAYMODEL if bay.baymodel.labels.get(name) == bay.labels[name] else BAY
