"""``openstack bay ext``: endpoints of drivers as commands, without knowing any driver."""

from collections.abc import Callable, Iterator

import pytest

from magnum.drivers.noop_v1.driver import Driver as NoopDriver
from magnum.tests.calls import SECRET, AskedDriver, answering
from magnum.tests.unit.osc.osc import Osc

#: One with endpoints of every kind, and the tutorial's.
MODELS = {"asked": ("--coe", "swarm", "--distro", "fedora-atomic"), "noop": ("--driver", "noop_v1")}


@pytest.fixture
def bays(osc: Osc, noop: NoopDriver) -> Iterator[None]:
    """Bays ``asked`` and ``noop``, and a conductor that answers."""
    for name, words in MODELS.items():
        osc("bay", "model", "create", name, "--image", "i", *words)
        osc("bay", "create", name, "--model", name, "--no-wait")
    with answering(AskedDriver(), noop):
        yield


pytestmark = pytest.mark.usefixtures("bays")


def test_endpoints_are_listed_with_help_and_arguments(osc: Osc) -> None:
    assert osc.json("bay", "ext", "noop") == [
        {
            "Endpoint": "noop_v1/info",
            "Method": "GET",
            "Arguments": "",
            "Help": "Show what this driver knows of the cluster.",
            "Who": "reader",
        },
        {
            "Endpoint": "noop_v1/echo",
            "Method": "POST",
            "Arguments": "--text <string> [--times <integer>] [--loud]",
            "Help": "Answer with the text that was sent.",
            "Who": "member",
        },
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("noop", "echo", "--text", "hi", "--times", "2", "--loud", "-f", "json"),
        ("-f", "json", "noop", "noop_v1/echo", "--loud", "--times=2", "--text=hi"),
        ("noop", "-f", "json", "echo", "--text", "hi", "--times", "2", "--loud"),
    ],
)
def test_an_endpoint_is_called_wherever_the_options_stand(osc: Osc, words: tuple[str, ...]) -> None:
    assert osc("bay", "ext", *words).json == {"text": "HI HI"}


@pytest.mark.parametrize("name", ["info", "echo"])  # by query, and by body
def test_values_have_the_types_of_the_schema(osc: Osc, name: str) -> None:
    words = ("--count", "3", "--ratio", "0.5", "--no-flag", "--name", "12")
    answer = osc.json("bay", "ext", "asked", name, *words, "--words", "a", "--words", "b")
    assert answer["request"] == {
        "count": 3,
        "ratio": 0.5,
        "flag": False,
        "name": "12",
        "words": ["a", "b"],
    }


def test_what_cannot_be_is_refused_here_or_there(osc: Osc) -> None:
    here = osc("bay", "ext", "asked", "info", "--count", "many", code=2)
    assert here.out == ""
    there = osc("bay", "ext", "asked", "info", "--count", "0", code=1)
    assert "field: count" in there.err
    assert osc("bay", "ext", "noop", "echo", code=2).out == ""
    assert osc("bay", "ext", code=2).out == ""
    assert osc("bay", "ext", "noop", "--nonsense", code=2).out == ""


def test_of_two_endpoints_of_one_name_the_method_says_which(openstack: Callable[..., Osc]) -> None:
    admin = openstack(user="u0", roles="admin,member,reader")
    assert "say --method GET or --method POST" in admin("bay", "ext", "asked", "both", code=1).err
    for method in ("GET", "POST"):
        assert admin.json("bay", "ext", "asked", "both", "--method", method)["request"] == {}


def test_an_unknown_endpoint_names_those_that_are_there(osc: Osc) -> None:
    for name in ("nope", "other_v1/info"):
        ended = osc("bay", "ext", "noop", name, code=1)
        assert "It offers noop_v1/info, noop_v1/echo." in ended.err


def test_the_help_of_an_endpoint_shows_its_arguments(
    osc: Osc, capsys: pytest.CaptureFixture[str]
) -> None:
    osc("bay", "ext", "noop", "echo", "--help")
    told = capsys.readouterr().out
    assert "Answer with the text that was sent." in told
    assert "--text <string>" in told
    assert "How often to say it; once if not given." in told
    osc("bay", "ext", "--help")
    told = capsys.readouterr().out
    assert "--text" not in told.partition("Examples")[0]
    assert "openstack bay ext first" in told
    osc("bay", "ext", "noop", "--help")
    assert "Examples" in capsys.readouterr().out


def test_openstack_help_shows_the_same(osc: Osc, capsys: pytest.CaptureFixture[str]) -> None:
    """``openstack bay ext noop echo --help`` is ``openstack help bay ext noop echo`` to OpenStackClient."""
    from magnum.osc.commands.ext import BayExt

    for words, told in (
        (("help", "bay", "ext", "noop", "echo"), "--text <string>"),
        (("bay", "ext", "--timing", "noop", "noop_v1/echo", "--help"), "--text <string>"),
        (("help", "bay", "ext", "noop"), "Examples"),
        (("help", "bay", "ext"), "Examples"),
    ):
        BayExt(osc.app(words), None).get_parser("openstack bay ext").print_help()
        assert told in capsys.readouterr().out


def test_a_secret_answer_is_shown_to_who_asked(osc: Osc) -> None:
    assert osc.json("bay", "ext", "asked", "token", "--password", "abc") == {"text": SECRET}
    refused = osc("bay", "ext", "asked", "token", "--password", "abcd", code=1)
    assert "abcd" not in refused.err


def test_what_the_driver_says_reaches_the_user(osc: Osc) -> None:
    refused = osc("bay", "ext", "asked", "refuses", code=1).err
    assert refused.startswith("Not this one.")
    assert "code: INVALID_OPTION (HTTP 400)" in refused
    broken = osc("bay", "ext", "asked", "breaks", code=1).err
    assert "code: DRIVER_ERROR (HTTP 502)" in broken
    assert "Tell the cloud's operator the request's id." in broken
    assert SECRET not in broken
