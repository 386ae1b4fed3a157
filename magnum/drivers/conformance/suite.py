"""What pytest collects: one test, made many by the plugin. An Unfit is told without a traceback of the suite's own."""

import unittest

from magnum.drivers.conformance.cases import Case
from magnum.drivers.conformance.samples import Unknown
from magnum.drivers.conformance.trial import Unfit


def test_driver(conformance_case: Case) -> None:
    """One case."""
    __tracebackhide__ = True
    try:
        conformance_case.run()
    except Unknown as error:
        raise unittest.SkipTest(str(error)) from None
    except Unfit as error:
        text = str(error)
    else:
        return
    raise Unfit(text)
