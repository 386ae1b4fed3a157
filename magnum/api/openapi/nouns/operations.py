"""Operations and events: what is being done about bays, and their timeline."""

from typing import Final

from magnum.api import paging
from magnum.api.openapi.described import Described, Key, paged
from magnum.api.openapi.shapes import (
    ANY_OBJECT,
    COUNT,
    LINKS,
    MOMENT,
    TEXT,
    UUID,
    Shape,
    closed,
    or_null,
    page,
    several,
    thing,
    word,
)
from magnum.api.spelling import Spelling
from magnum.db import history
from magnum.db.models import State
from magnum.drivers.contract import Actor, Verb

_TEXT = or_null(TEXT)

_TROUBLE: Final = thing(
    "Trouble",
    "What is in an operation's way, or was in the end.",
    {
        "code": {
            **_TEXT,
            "description": "See the catalogue of failures; drivers may have codes of their own.",
        },
        "text": _TEXT,
        "actor": {**or_null(word(Actor)), "description": "Whose move it is."},
        "request_id": {**_TEXT, "description": "The cloud's own id where one is known."},
        "help": {**_TEXT, "description": "What to do about it."},
        "operator_text": {
            **_TEXT,
            "description": "Only for who may read what is meant for the operator.",
        },
    },
    optional=("operator_text",),
)

_SHORT: Final = {
    "uuid": UUID,
    "verb": word(Verb),
    "state": word(State),
    "stage": _TEXT,
    "done": or_null(COUNT),
    "total": or_null(COUNT),
    "deadline": MOMENT,
    "error": or_null(_TROUBLE),
    "links": LINKS,
}

#: What a bay shows of its present operation.
SHORT: Final = thing(
    "PresentOperation", "Where the work on a bay stands, and what is in its way.", _SHORT
)

_FAULT: Final = closed(
    {"resource": TEXT, "type": TEXT, "text": TEXT, "request_id": TEXT}, optional=("request_id",)
)
_LEFTOVER: Final = closed(
    {"service": TEXT, "kind": TEXT, "ident": TEXT, "name": TEXT}, optional=("name",)
)


def _full(words: Spelling) -> Shape:
    return thing(
        "Operation",
        f"One piece of work on a {words.bay}.",
        {
            **_SHORT,
            words.bay_key: UUID,
            "project_id": TEXT,
            "user_id": _TEXT,
            "request_id": _TEXT,
            "parameters": {**ANY_OBJECT, "description": "What was said when it was asked for."},
            "generation": COUNT,
            "attempts": COUNT,
            "faults": several(_FAULT),
            "leftovers": several(_LEFTOVER),
            "created_at": MOMENT,
            "started_at": or_null(MOMENT),
            "finished_at": or_null(MOMENT),
            "next_look_at": or_null(MOMENT),
        },
    )


def _event(words: Spelling) -> Shape:
    return thing(
        "Event",
        f"One line of a {words.bay}'s timeline.",
        {
            "id": {"type": "string", "pattern": "^[0-9]+$"},
            words.bay_key: UUID,
            "operation_id": or_null(UUID),
            "code": TEXT,
            "text": _TEXT,
            "created_at": MOMENT,
        },
    )


def _in_words(shape: Shape, words: Spelling) -> Shape:
    """The shape under a name of its own in each spelling."""
    return {**shape, "title": f"{words.bay.capitalize()}{shape['title']}"}


_EVENTS_QUERY: Final = paged(history.EVENT_SORT_KEYS, paging.NUMBER)


def of_bay(words: Spelling) -> dict[Key, Described]:
    """The routes below a bay."""
    at, noun = f"/v1/{words.bays}/{{}}", words.bay
    operation, event = _in_words(_full(words), words), _in_words(_event(words), words)
    return {
        ("GET", f"{at}/operations"): Described(
            f"List the operations of a {noun}, also of one that has gone.",
            {200: page("operations", operation)},
            paged(history.OPERATION_SORT_KEYS),
            errors=(409,),
        ),
        ("GET", f"{at}/events"): Described(
            f"List what has happened to a {noun}, also to one that has gone.",
            {200: page("events", event)},
            _EVENTS_QUERY,
            errors=(409,),
        ),
    }


def described(words: Spelling) -> dict[Key, Described]:
    """The routes of operations themselves, in the words that they are served with."""
    at = "/v1/operations/{}"
    operation, event = _in_words(_full(words), words), _in_words(_event(words), words)
    return {
        ("GET", at): Described("Show an operation.", {200: operation}),
        ("DELETE", at): Described(
            "Cancel an operation that has not begun.", {204: None}, errors=(409,)
        ),
        ("GET", f"{at}/events"): Described(
            "List what has happened in an operation.", {200: page("events", event)}, _EVENTS_QUERY
        ),
    }
