"""What a driver refuses before a bay is accepted: fields and options that do not go together (``Driver.refuse``).

The driver's code runs in the process of the caller, so nothing of it may get out: a fault of its own is logged, and one
that does not come back is waited for once. In both cases the bay is accepted, and its creation says what is wrong.
"""

import logging
import threading
import traceback
from functools import partial
from typing import Final

from magnum.common import errors
from magnum.drivers import asking
from magnum.drivers.contract import Driver, InvalidOption, NotSupported, Work

LOG = logging.getLogger(__name__)

#: Seconds for a look at values, far more than one takes.
PATIENCE: Final = 5.0


class Refused(errors.InvalidField):
    """The driver cannot build this. ``option`` names the field or option at fault, and is empty where none is known."""

    def __init__(self, text: str, option: str = "") -> None:
        super().__init__(text)
        self.option = option


#: Looks that did not come back in time, by the driver; it is not asked again until that one has ended.
_stuck: dict[str, threading.Thread] = {}


def check(driver: Driver, work: Work) -> None:
    """Ask the driver whether it could build a new bay. Raises Refused."""
    stuck = _stuck.get(driver.name)
    if type(driver).refuse is Driver.refuse or (stuck is not None and stuck.is_alive()):
        return
    look = asking.within(PATIENCE, partial(driver.refuse, work), f"refuse-{driver.name}")
    if look.came_back:
        _judge(driver, look.answer)
        return
    _stuck[driver.name] = look.thread
    LOG.error("The driver %s has not come back from refuse() in %g s.", driver.name, PATIENCE)


def _judge(driver: Driver, answer: object) -> None:
    match answer:
        case InvalidOption():
            raise Refused(f"Driver {driver.name}: {answer.text}", answer.option)
        case NotSupported():
            raise Refused(f"Driver {driver.name}: {answer.text}")
    if not isinstance(answer, BaseException):
        return
    # Not what the error says: a secret may be in it.
    where = "".join(traceback.format_tb(answer.__traceback__))
    LOG.error(
        "The driver %s failed at refuse(): %s at\n%s", driver.name, type(answer).__name__, where
    )
