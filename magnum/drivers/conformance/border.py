"""What is tried of a driver as a whole: who it says it is, the verbs it has not, its options, and what it observes."""

import json
import re
from dataclasses import replace
from functools import partial
from typing import Any

import jsonschema

from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.conformance.trial import Unfit, told, trial
from magnum.drivers.contract import (
    NO_CLOUDS,
    NO_SECRETS,
    DriverError,
    Facts,
    InvalidOption,
    NotFound,
    NotSupported,
    Verb,
)
from magnum.drivers.options import Options

#: Seconds for a look at values.
AT_ONCE = 2.0
#: What the service knows of the effect of a change.
CHANGES = ("mutable", "replaces-nodes", "fixed")
_VERSION = re.compile(r"\d+\.\d+\.\d+([.-]?[a-z0-9]+)*")
_NAME = re.compile(r"[a-z][a-z0-9_]*_v[0-9]+")
#: Values that no sensible option takes. The first that the schema refuses is tried.
_WRONG = ("no such value", "-1", "99999999999999999999", "", "x" * 5000, "\N{SNOWMAN}")


def says_who_it_is(candidate: Candidate) -> None:
    """Name, version and what it provides are there and in their form."""
    driver = candidate.make()
    if not _NAME.fullmatch(driver.name):
        raise Unfit(
            f"the name '{driver.name}' should be like swarm_atomic_v1: a word, _v, a number"
        )
    if not _VERSION.fullmatch(driver.version):
        raise Unfit(f"the version '{driver.version}' should be like 1.0.0")
    if not driver.template_version:
        raise Unfit("the template version is empty")
    if not {Verb.CREATE, Verb.DELETE} <= driver.verbs():
        raise Unfit("a driver needs at least the verbs create and delete")


def refuses_what_it_has_not(candidate: Candidate, verb: Verb) -> None:
    """A verb that the driver has not raises NotSupported, with a text, and touches nothing."""
    with trial(candidate, Verb.UPDATE if Verb.CREATE in candidate.make().verbs() else None) as one:
        before = one.world.calls()
        answer = one.call(verb, {})
        if not isinstance(answer, NotSupported):
            raise Unfit(f"the driver does not have '{verb}', but answers {told(answer)}")
        if one.world.calls() != before:
            raise Unfit(f"the driver does not have '{verb}', but asks the cloud")


def observes(candidate: Candidate) -> None:
    """After a creation there are facts; observing changes nothing; a cluster that is gone raises NotFound."""
    with trial(candidate) as one:
        made = one.finish(Verb.CREATE)
        before = sorted(one.world.clusters())
        seen = one.finish(Verb.CHECK).facts
        if seen == Facts():
            raise Unfit("after a creation nothing is observed: 'observe' gives no fact at all")
        if seen.api_address != made.facts.api_address:
            raise Unfit(f"'observe' sees {seen.api_address}, the creation {made.facts.api_address}")
        if sorted(one.world.clusters()) != before:
            raise Unfit("'observe' has changed the cloud")
        if not one.world.has_cloud:
            return
        one.finish(Verb.DELETE)
        answer = one.call(Verb.CHECK, {})
        if not isinstance(answer, NotFound):
            raise Unfit(
                f"'observe' of a cluster that is gone should raise NotFound, not {told(answer)}"
            )


def refuses_by_values_alone(candidate: Candidate) -> None:
    """Asked whether it would build a bay that it can build, it says nothing against it, without cloud and secrets."""
    with trial(candidate) as one:
        before = one.world.calls()
        work = replace(one.world.work(Verb.CREATE, {}), clouds=NO_CLOUDS, secrets=NO_SECRETS)
        answer = one.ask("'refuse'", partial(one.driver.refuse, work), AT_ONCE)
        if isinstance(answer, DriverError):
            raise Unfit(f"'refuse' is against a bay that the driver can build: {told(answer)}")
        if answer is not None or one.world.calls() != before:
            raise Unfit("'refuse' may only raise or return None, and asks no cloud")


def schema_of(candidate: Candidate) -> dict[str, Any]:
    """The schema of a driver's options; Unfit where there is none."""
    path = candidate.path / "schema.json"
    try:
        schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        if not isinstance(schema["properties"], dict):
            raise TypeError("'properties' is no object")
    except (OSError, ValueError, KeyError, TypeError, jsonschema.SchemaError) as error:
        raise Unfit(f"schema.json: {type(error).__name__}: {error}") from error
    return schema


def options_of(candidate: Candidate) -> tuple[str, ...]:
    """Names of the options; empty where the schema cannot be read, which a case of its own says."""
    try:
        return tuple(schema_of(candidate)["properties"])
    except Unfit:
        return ()


def declares_its_options(candidate: Candidate) -> None:
    """``schema.json`` can be used, and every default is a value that its own option takes."""
    for name, declared in schema_of(candidate)["properties"].items():
        if declared.get("x-change") not in CHANGES:
            raise Unfit(f"option '{name}': x-change should be one of {', '.join(CHANGES)}")
        if "default" not in declared:
            continue
        for error in jsonschema.Draft202012Validator(declared).iter_errors(declared["default"]):
            raise Unfit(f"option '{name}': its default is not allowed: {error.message}")


def refuses_a_wrong_value(candidate: Candidate, option: str) -> None:
    """A wrong value is refused by name before anything is made, and does not stand in a deletion's way."""
    wrong = _wrong(candidate, option)
    if wrong is None:
        return
    with trial(candidate) as one:
        one.world.label(option, wrong)
        answer = one.run(Verb.CREATE)
        if not isinstance(answer, InvalidOption):
            raise Unfit(
                f"with {option}={wrong[:40]!r} 'create' should raise InvalidOption, not {told(answer)}"
            )
        if option not in answer.text:
            raise Unfit(f"the text does not name the option '{option}': {answer.text}")
        if one.world.clusters():
            raise Unfit(f"something was made in spite of {option}={wrong[:40]!r}")
    with trial(candidate) as one:
        one.finish(Verb.CREATE)
        one.world.label(option, wrong)
        one.finish(Verb.DELETE)


def _wrong(candidate: Candidate, option: str) -> str | None:
    """A value that the schema does not allow; None where it allows everything."""
    options = Options(schema_of(candidate))
    for value in _WRONG:
        try:
            options.read({option: value})
        except InvalidOption:
            return value
    return None
