"""How a bay becomes a stack: a driver's templates, their parameters, and what the outputs mean.

Templates and node scripts are files and are sent to Heat as they are; values travel as parameters
only and are never put into a text here. A driver subclasses :class:`TemplateDefinition` in its
``template_def.py``.
"""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, ClassVar

import yaml

from magnum.drivers.contract import Facts, Work
from magnum.drivers.heat import groups, sites
from magnum.drivers.heat.stack import Launch

#: References that begin so are to files that several drivers share.
COMMON = "common/"
COMMON_PACKAGE = "magnum.drivers.common"
TEMPLATES = "templates"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A template and every file that it or a file of it refers to, as text. ``files`` by reference.

    ``parameters`` are the names of those that the template takes.
    """

    template: str
    files: Mapping[str, str]
    parameters: frozenset[str] = frozenset()


@functools.cache
def bundle(package: str, main: str) -> Bundle:
    """Read a driver's template with all its files, once per process.

    ``main`` is relative to ``templates/`` in the driver's package. Inside, ``get_file`` and
    ``type: something.yaml`` refer to files relative to the same place; ``common/...`` refers to
    the ``templates/`` that drivers share. The references are sent as they stand, so that they mean
    the same on every machine. A file that is not there raises FileNotFoundError.
    """
    own = resources.files(package) / TEMPLATES
    shared = resources.files(COMMON_PACKAGE) / TEMPLATES
    template = own.joinpath(main).read_text(encoding="utf-8")
    files: dict[str, str] = {}
    read = yaml.safe_load(template)
    wanted = list(_references(read))
    while wanted:
        name = wanted.pop()
        if name in files:
            continue
        text = _find(name, own, shared).read_text(encoding="utf-8")
        files[name] = text
        if name.endswith(".yaml"):
            wanted.extend(_references(yaml.safe_load(text)))
    return Bundle(template, dict(sorted(files.items())), frozenset(read.get("parameters") or ()))


def _find(name: str, own: Traversable, shared: Traversable) -> Traversable:
    if name.startswith(COMMON):
        return shared.joinpath(name.removeprefix(COMMON))
    return own.joinpath(name)


def _references(node: object) -> Iterator[str]:
    """Names of the files that a template refers to."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            is_file = key == "get_file" or (key == "type" and str(value).endswith(".yaml"))
            if is_file and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


class TemplateDefinition:
    """What a Heat driver says about its template. Stateless; one instance serves all bays.

    ``package`` is the driver's, ``main`` its template. ``mutable`` names the parameters that an
    update may change, beside those of node groups where it has these; all others stay what they were
    at the stack's creation. ``orders`` are those of them that belong to one update alone, such as
    which nodes go: they say nothing of how the cluster is to be afterwards.
    """

    package: ClassVar[str] = ""
    main: ClassVar[str] = "cluster.yaml"
    mutable: ClassVar[frozenset[str]] = frozenset()
    orders: ClassVar[frozenset[str]] = frozenset()

    def parameters(self, work: Work) -> Mapping[str, Any]:
        """The template's parameters for a bay. One that is None is left to its default.

        Raises InvalidOption where the bay asks for what cannot be had.
        """
        raise NotImplementedError

    def environment(self, work: Work) -> Mapping[str, Any]:
        """Heat's environment beside the parameters; empty unless a driver needs it."""
        return {}

    def facts(self, work: Work, stack_id: str, outputs: Mapping[str, Any]) -> Facts:
        """What the outputs of a complete stack say. An output that is None is not known."""
        raise NotImplementedError

    def members(
        self, work: Work, name: str, outputs: Mapping[str, Any]
    ) -> Mapping[str, str] | None:
        """The servers of a node group by their numbers in it; None where the stack does not say."""
        return None

    @property
    def grouped(self) -> bool:
        """Whether the template takes groups of nodes beside those that every cluster has."""
        return groups.PARAMETER in self._declared

    @property
    def zoned(self) -> bool:
        """Whether the template can be told in which availability zones nodes go."""
        return sites.NODE_ZONES in self._declared

    @property
    def _declared(self) -> frozenset[str]:
        return bundle(self.package, self.main).parameters if self.package else frozenset()

    def launch(self, work: Work) -> Launch:
        """Everything that the stack is created from."""
        found = bundle(self.package, self.main)
        return Launch(found.template, found.files, self._given(work), self.environment(work))

    def changes(self, work: Work) -> Mapping[str, Any]:
        """The parameters that an update sends: those that may change, with their present values."""
        free = self.mutable | {groups.PARAMETER, groups.COUNT}
        return {name: value for name, value in self._given(work).items() if name in free}

    def lasting(self, work: Work) -> Mapping[str, Any]:
        """The parameters that may change, as the stack must show them while nobody changes the bay."""
        return {
            name: value for name, value in self.changes(work).items() if name not in self.orders
        }

    def _given(self, work: Work) -> dict[str, Any]:
        """The parameters of a bay, and the zones of its site where the template can be told them."""
        zones = sites.parameters(work.bay.site) if self.zoned else {}
        given = {**zones, **self.parameters(work)}
        return {name: value for name, value in given.items() if value is not None}
