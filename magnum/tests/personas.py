"""Who may do what, as the contract says it (section 4.4), and nothing of it taken from the code under test.

Tests hold every route of the API against this. A route whose rule has no line here fails.
"""

from typing import Final

#: What is asked about is in project p1. The columns:
#:
#: ======== ===========================================================================================================
#: nobody   has no token
#: guest    has a role in p1 that means nothing to us
#: reader   looks at what p1 has
#: member   works in p1
#: creator  works in p1, too, and has made what is asked about
#: manager  manages p1; the roles that this one implies are in the token
#: admin    is the cloud's administrator, at home in another project
#: system   is the cloud's administrator, in no project at all
#: stranger works in another project
#: node     is the own user of the bay that is asked about
#: ======== ===========================================================================================================
_ANSWERS: Final = """
            nobody guest reader member creator manager admin system stranger node

open          2xx   2xx    2xx    2xx     2xx     2xx   2xx    2xx     2xx   2xx

list          401   403    2xx    2xx     2xx     2xx   2xx    2xx     2xx   403
look          401   403    2xx    2xx     2xx     2xx   2xx    2xx     404   403
create        401   403    403    2xx     2xx     2xx   2xx    403     2xx   403
change        401   403    403    2xx     2xx     2xx   2xx    2xx     404   403

administrate  401   403    403    403     403     403   2xx    2xx     403   403
publish       401   403    403    403     403     403   2xx    2xx     404   403
report        401   403    403    403     2xx     403   2xx    2xx     404   2xx

see a CA      401   403    403    403     2xx     403   2xx    2xx     404   2xx
sign          401   403    403    403     2xx     403   2xx    2xx     400   2xx
own           401   403    403    2xx     2xx     2xx   404    404     404   403
see a quota   401   403    2xx    2xx     2xx     2xx   2xx    2xx     403   403
"""

#: The rules by what they are about; of a rule that several routes ask, all do the same.
_RULES: Final = {
    "list": """
        bay:get_all bay:detail cluster:get_all cluster:detail
        baymodel:get_all baymodel:detail clustertemplate:get_all clustertemplate:detail
        stats:get_all federation:get_all federation:detail driver:get_all driver:get
        """,
    "look": """
        bay:get cluster:get baymodel:get clustertemplate:get nodegroup:get_all nodegroup:get
        operation:get_all operation:get event:get_all effective:get ext:get_all ext:call_get
        """,
    "create": """
        bay:create cluster:create baymodel:create clustertemplate:create placement:create
        """,
    "change": """
        bay:update bay:delete bay:force_delete bay:resize bay:upgrade
        cluster:update cluster:delete cluster:force_delete cluster:resize cluster:upgrade
        baymodel:update baymodel:delete clustertemplate:update clustertemplate:delete
        nodegroup:create nodegroup:update nodegroup:delete
        action:rebuild action:soft_reboot action:hard_reboot action:check
        certificate:rotate_ca operation:cancel preview:create ext:call_post
        """,
    "administrate": """
        quota:get_all quota:create quota:update quota:delete magnum-service:get_all
        """,
    "publish": "baymodel:publish clustertemplate:publish",
    "report": "bay:update_health_status cluster:update_health_status",
    "see a CA": "certificate:get",
    "sign": "certificate:create",
    "own": "credential:rotate",
    "see a quota": "quota:get",
}

#: What needs no token.
OPEN: Final = frozenset({"/", "/v1", "/v1/openapi.json", "/healthcheck"})


def _read(text: str) -> dict[str, dict[str, str]]:
    head, *lines = (line for line in text.splitlines() if line)
    who = head.split()
    table = {}
    for line in lines:
        kind, answers = line[:13].strip(), line[13:].split()
        table[kind] = dict(zip(who, answers, strict=True))
    return table


#: By what a request is about and by persona: how it is answered.
ANSWERS: Final = _read(_ANSWERS)
PERSONAS: Final = tuple(ANSWERS["open"])
_KINDS: Final = {rule: kind for kind, rules in _RULES.items() for rule in rules.split()}


def expected(rule: str | None, path: str, persona: str) -> str:
    """How a persona is answered: "2xx" or a status. Raises KeyError where the table does not say it.

    :param rule: what the route asks; None for one that asks nothing and must be in :data:`OPEN`.
    """
    if rule is None:
        if path not in OPEN:
            raise KeyError(f"{path} asks no rule")
        return ANSWERS["open"][persona]
    return ANSWERS[_KINDS[rule]][persona]


def answered(status: int) -> str:
    """A status as the table has it."""
    return "2xx" if 200 <= status < 300 else str(status)
