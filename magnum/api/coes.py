"""What is known of container engines: the networks and volumes that a baymodel for each may name (contract 2.1)."""

from dataclasses import dataclass
from typing import Final

from magnum.common import errors
from magnum.conf import CONF


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine; ``options`` is the name its options in ``[cluster_template]`` begin with."""

    options: str
    network_drivers: tuple[str, ...]
    volume_drivers: tuple[str, ...]

    def allowed_networks(self) -> tuple[str, ...]:
        """The network drivers that are known and that the operator allows."""
        allowed = CONF.cluster_template[f"{self.options}_allowed_network_drivers"]
        if "all" in allowed:
            return self.network_drivers
        return tuple(name for name in self.network_drivers if name in allowed)

    def default_network(self) -> str:
        """The network driver of a baymodel that names none."""
        default: str = CONF.cluster_template[f"{self.options}_default_network_driver"]
        return default


#: An engine that is not here, of a driver from elsewhere, may name what it likes.
ENGINES: Final = {
    "kubernetes": Engine("kubernetes", ("flannel", "calico", "cilium"), ("cinder",)),
    "swarm": Engine("swarm", ("docker", "flannel"), ("rexray",)),
    "swarm-mode": Engine("swarm", ("docker", "flannel"), ("rexray",)),
    "mesos": Engine("mesos", ("docker",), ("rexray",)),
}

#: The smallest volume in GiB that Docker's devicemapper works on.
_DEVICEMAPPER_LEAST = 3


def check_network_driver(coe: str, name: str | None) -> str | None:
    """The network driver to have: the given one, or the engine's default. Raises InvalidField."""
    engine = ENGINES.get(coe)
    if engine is None:
        return name
    name = name or engine.default_network()
    allowed = engine.allowed_networks()
    if name not in allowed:
        raise errors.InvalidField(
            f"Network driver {name!r} is not allowed for {coe}, allowed are: {', '.join(allowed)}",
            field="/network_driver",
        )
    return name


def check_volume_driver(coe: str, name: str | None) -> None:
    """Raise InvalidField for a volume driver that the engine does not have."""
    engine = ENGINES.get(coe)
    if engine is not None and name is not None and name not in engine.volume_drivers:
        raise errors.InvalidField(
            f"Volume driver {name!r} is not known for {coe}, known are:"
            f" {', '.join(engine.volume_drivers)}",
            field="/volume_driver",
        )


def check_volume_size(storage_driver: str | None, size: int | None) -> None:
    """Raise InvalidField for a Docker volume too small for its storage driver (D10)."""
    if storage_driver == "devicemapper" and size is not None and size < _DEVICEMAPPER_LEAST:
        raise errors.InvalidField(
            f"docker_volume_size must be at least {_DEVICEMAPPER_LEAST} GiB with devicemapper",
            field="/docker_volume_size",
        )
