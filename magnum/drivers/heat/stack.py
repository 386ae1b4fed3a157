"""The one stack of a bay: each method is one request to Heat, named so that it can be found again.

Name and tag derive from the bay's uuid. A stack's name is unique in its project, so creating twice
is impossible; the tag finds what is ours, whatever its state. Nothing is decided here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from magnum.drivers.contract import CloudUnavailable, Work
from magnum.drivers.heat.errors import translated

#: How deep below the stack failed resources are looked for: by default Heat nests no deeper.
NESTED_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Launch:
    """What a stack is made from. ``files`` are the texts that the template refers to, by name."""

    template: str
    files: Mapping[str, str]
    parameters: Mapping[str, Any]
    environment: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StackView:
    """A stack as Heat showed it once. ``outputs`` is None where they were not asked for.

    ``action`` and ``status`` are Heat's words, for example CREATE and IN_PROGRESS.
    """

    stack_id: str
    name: str
    action: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, shown: Any) -> "StackView":
        """From what Heat's client returns. Raises CloudUnavailable where that is not a stack."""
        facts = getattr(shown, "_info", None) or {}
        try:
            action, _, status = facts["stack_status"].partition("_")
            return cls(
                stack_id=facts["id"],
                name=facts["stack_name"],
                action=action,
                status=status,
                reason=facts.get("stack_status_reason") or "",
                parameters=facts.get("parameters") or {},
                outputs=_outputs(facts["outputs"]) if "outputs" in facts else None,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise CloudUnavailable(
                "The cloud's orchestration service gave an answer that makes no sense.",
                f"not a stack: {error!r}",
            ) from error


@dataclass(frozen=True, slots=True)
class ResourceView:
    """A resource of the stack, or of one nested in it, as Heat listed it.

    ``action`` and ``status`` are as in :class:`StackView`. ``owner`` is the id of the stack it is
    in. ``resource_id`` is what the resource is in the cloud: for a nested stack, that stack's id.
    """

    name: str
    type: str
    status: str
    reason: str
    resource_id: str
    owner: str
    updated: str = ""
    action: str = ""

    @classmethod
    def of(cls, shown: Any) -> "ResourceView":
        """From what Heat's client returns; what is absent is empty."""
        facts = getattr(shown, "_info", None) or {}
        links = {link.get("rel"): link.get("href", "") for link in facts.get("links") or ()}
        action, _, status = (facts.get("resource_status") or "").partition("_")
        return cls(
            name=facts.get("resource_name") or "",
            type=facts.get("resource_type") or "",
            status=status,
            reason=facts.get("resource_status_reason") or "",
            resource_id=facts.get("physical_resource_id") or "",
            owner=links.get("stack", "").rpartition("/")[2],
            updated=facts.get("updated_time") or "",
            action=action,
        )


class Stack:
    """Requests about one bay's stack. All of them raise the contract's exceptions only."""

    def __init__(self, work: Work) -> None:
        self.name = f"bay-{work.bay.uuid}"
        self.tag = f"magnum-{work.bay.uuid}"
        self._clouds = work.clouds

    @property
    def _heat(self) -> Any:
        return self._clouds.heat()

    def _url(self, stack_id: str) -> str:
        """The canonical address: one with the name or the id alone costs a redirect."""
        return f"{self.name}/{stack_id}"

    def create(self, launch: Launch, timeout_mins: int) -> str:
        """Create the stack and return its id. AlreadyThere where the name is taken."""
        with translated("creating the stack"):
            answer = self._heat.stacks.create(
                stack_name=self.name,
                tags=self.tag,
                template=launch.template,
                files=dict(launch.files),
                parameters=dict(launch.parameters),
                environment=dict(launch.environment),
                timeout_mins=timeout_mins,
                disable_rollback=True,
            )
        try:
            return str(answer["stack"]["id"])
        except (KeyError, TypeError) as error:
            raise CloudUnavailable(
                "The cloud's orchestration service gave an answer that makes no sense.",
                f"creating the stack: no id in the answer: {error!r}",
            ) from error

    def look(self, stack_id: str, *, outputs: bool) -> StackView:
        """The stack at present. NotFound where it is gone."""
        with translated("looking at the stack"):
            shown = self._heat.stacks.get(self._url(stack_id), resolve_outputs=outputs)
        return StackView.of(shown)

    def find(self) -> tuple[StackView, ...]:
        """Every stack with this bay's tag, whatever its state."""
        with translated("looking for stacks of the bay"):
            return tuple(StackView.of(shown) for shown in self._heat.stacks.list(tags=self.tag))

    def look_at_all(self, stack_ids: Collection[str]) -> Mapping[str, StackView]:
        """Those of several stacks of the project that are there, by id, without their parameters."""
        with translated("looking at stacks"):
            listed = self._heat.stacks.list(filters={"id": sorted(stack_ids)})
            found = [StackView.of(shown) for shown in listed]
        return {view.stack_id: view for view in found}

    def update(self, stack_id: str, parameters: Mapping[str, Any], timeout_mins: int) -> None:
        """Change these parameters and nothing else: template, files and other parameters stay."""
        with translated("updating the stack"):
            self._heat.stacks.update(
                self._url(stack_id),
                existing=True,
                parameters=dict(parameters),
                tags=self.tag,
                timeout_mins=timeout_mins,
                disable_rollback=True,
            )

    def delete(self, stack_id: str) -> None:
        """Ask for the stack's deletion. NotFound where it is gone."""
        with translated("deleting the stack"):
            self._heat.stacks.delete(self._url(stack_id))

    def unfinished_resources(self, stack_id: str) -> tuple[ResourceView, ...]:
        """Resources that failed or never got to an end, at every depth, in no order."""
        with translated("looking for what failed"):
            listed = self._heat.resources.list(
                self._url(stack_id),
                nested_depth=NESTED_DEPTH,
                filters={"status": ["FAILED", "IN_PROGRESS"]},
            )
        return tuple(ResourceView.of(shown) for shown in listed)


def _outputs(listed: Any) -> dict[str, Any]:
    """Outputs by their keys. One that Heat could not work out counts as not known."""
    return {
        output["output_key"]: None if output.get("output_error") else output.get("output_value")
        for output in listed or ()
    }
