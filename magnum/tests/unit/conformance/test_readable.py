"""What people can read of a stack: a secret that is hidden at the top is found where a nested template shows it."""

import pytest

from magnum.drivers.conformance.fake_heat import FakeHeatStack
from magnum.drivers.conformance.readable import readable

SECRET = "do-not-show-me"

MAIN = """
heat_template_version: 2018-03-02
parameters:
  token: {type: string, hidden: true}
resources:
  nodes:
    type: OS::Heat::ResourceGroup
    properties:
      resource_def:
        type: node.yaml
        properties:
          text: {str_replace: {template: "it is T", params: {T: {get_param: token}}}}
  value:
    type: OS::Heat::Value
    properties: {value: {get_param: token}}
outputs:
  nothing: {value: {get_attr: [nodes, token]}}
%s
"""

NODE = """
heat_template_version: 2018-03-02
parameters:
  text: {type: string%s}
resources:
  inner: {type: inner.yaml, properties: {deep: {get_param: text}}}
"""

INNER = """
heat_template_version: 2018-03-02
parameters:
  deep: {type: string%s}
"""

HIDDEN = ", hidden: true"


@pytest.mark.parametrize(
    ("outputs", "node", "inner", "places"),
    [
        ("", HIDDEN, HIDDEN, []),
        ("", "", HIDDEN, ["parameter 'text' of node.yaml"]),
        ("", HIDDEN, "", ["parameter 'deep' of inner.yaml"]),
        (
            "  shown: {value: {get_param: token}}",
            HIDDEN,
            HIDDEN,
            ["output 'shown' of the template"],
        ),
        (
            "  shown: {value: {get_attr: [value, value]}}",
            HIDDEN,
            HIDDEN,
            ["output 'shown' of the template"],
        ),
    ],
)
def test_where_a_secret_is_shown(outputs: str, node: str, inner: str, places: list[str]) -> None:
    files = {"node.yaml": NODE % node, "inner.yaml": INNER % inner}
    stack = FakeHeatStack("1", "s", MAIN % outputs, files, [], {"token": SECRET})
    assert [place for place, said in readable(stack) if SECRET in said] == places
