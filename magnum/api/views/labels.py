"""Labels beside those that they were made from (contract 2.2, "Meaning")."""

from collections.abc import Mapping


def compared(own: Mapping[str, str], parent: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What a cluster has of its own, has otherwise (told with the parent's value), and has not of its parent's."""
    return {
        "labels_added": {name: own[name] for name in own.keys() - parent.keys()},
        "labels_overridden": {
            name: value for name, value in parent.items() if own.get(name, value) != value
        },
        "labels_skipped": {name: parent[name] for name in parent.keys() - own.keys()},
    }
