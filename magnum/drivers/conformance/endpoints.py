"""What is tried of a driver's endpoints: how they are declared, and what their handlers answer."""

import json
from functools import partial

from magnum.drivers.conformance.candidate import Candidate
from magnum.drivers.conformance.situations import LONGEST, at_a_cluster_that, situations
from magnum.drivers.conformance.trial import Trial, Unfit, trial
from magnum.drivers.conformance.trouble import no_secret_in
from magnum.drivers.contract import Driver, DriverError, Endpoint, Verb
from magnum.drivers.endpoints import fault_of, find, misfit


def faults_of(driver: Driver) -> list[str]:
    """What is wrong with the declarations of a driver's endpoints, one sentence each."""
    if fault := fault_of(driver):
        return [fault]
    return [
        f"endpoint '{one.name}': its help should be one line that says what it is for"
        for one in driver.endpoints
        if not one.help.strip() or "\n" in one.help.strip()
    ]


def declares_its_endpoints(candidate: Candidate) -> None:
    """Names are unique and in their form, schemas are schemas of objects, each has its help."""
    if faults := faults_of(candidate.make()):
        raise Unfit("; ".join(faults))


def answers_a_question(candidate: Candidate, name: str, method: str) -> None:
    """Its handler answers what its schema says, or raises an error of the contract, within 10 s, in every situation.

    Before there is a cluster, and where the cluster refuses, is silent or answers nonsense. One that reads changes
    nothing. What is not declared to be secret holds no secret.
    """
    for situation in situations():
        with trial(candidate) as one:
            if situation is not None:
                one.finish(Verb.CREATE)
            with at_a_cluster_that(situation, one):
                _ask(one, name, method, situation)


def _ask(one: Trial, name: str, method: str, situation: str | None) -> None:
    endpoint = find(one.driver, name, method)
    assert endpoint is not None
    where = f"{name} of a cluster that {situation}" if situation else f"{name} before the creation"
    request = one.world.request(endpoint)
    before = one.world.picture()
    work = one.world.work(Verb.CHECK, {})
    answer = one.ask(where, partial(endpoint.handler, work, request), LONGEST)
    if endpoint.method == "GET" and one.world.picture() != before:
        raise Unfit(f"{where}: a GET has changed the cloud")
    for line in one.logged:
        no_secret_in(one, line, where)
    if isinstance(answer, DriverError):
        no_secret_in(one, repr((answer.text, answer.operator_text)), where)
        return
    _check_answer(endpoint, answer, where)
    if not endpoint.secret:
        try:
            no_secret_in(one, json.dumps(answer), where)
        except Unfit as error:
            raise Unfit(f"{error} Or declare the endpoint as secret.") from None


def _check_answer(endpoint: Endpoint, answer: object, where: str) -> None:
    try:
        again = json.loads(json.dumps(answer, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Unfit(f"{where}: its answer is not JSON: {error}") from error
    if wrong := misfit(endpoint.response, again):
        place = "/".join(map(str, wrong.absolute_path))
        raise Unfit(
            f"{where}: its answer is not what its response schema says, at /{place}: {wrong.message[:300]}"
        )
