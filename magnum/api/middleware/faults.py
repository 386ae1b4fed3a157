"""Every error becomes an answer of the contract's shape; a fault of ours is logged and told as 500, without details."""

import logging
import sys
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from oslo_db import exception as db_exception
from sqlalchemy.exc import OperationalError

from magnum.api import errors as api_errors
from magnum.api.http import ASKED, REQUEST_ID, base_url
from magnum.common import errors

LOG = logging.getLogger(__name__)

#: How a database that does not answer is told; SQLAlchemy's own is what oslo.db leaves of PostgreSQL's.
_NO_DATABASE = (db_exception.DBConnectionError, OperationalError)


class Faults:
    """Stand around everything that may fail."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return self._app(environ, start_response)
        except Exception as raised:  # noqa: BLE001 - the fault wrapper: nothing but an answer may pass
            error = _told(raised, environ)
            answer = api_errors.answer(error, environ.get(REQUEST_ID, ""), base_url(environ))
            asked = environ.get(ASKED)
            headers = [*answer.headers, *(asked.headers() if asked is not None else ())]
            start_response(answer.status, headers, sys.exc_info())
            return [answer.body]


def _told(raised: Exception, environ: WSGIEnvironment) -> errors.MagnumError:
    """What the caller is told of an exception; the log is told the rest."""
    if isinstance(raised, errors.MagnumError):
        told_all = raised.operator_text == raised.text
        level = (
            logging.ERROR if raised.status >= 500 else logging.DEBUG if told_all else logging.INFO
        )
        LOG.log(level, "%s: %s", raised.code, raised.operator_text)
        return raised
    if isinstance(raised, _NO_DATABASE):
        LOG.error("The database does not answer: %s", raised)
        return errors.Unavailable("The service's database does not answer. Try again later.")
    LOG.error(
        "Fault in %s %s", environ["REQUEST_METHOD"], environ.get("PATH_INFO"), exc_info=raised
    )
    return errors.MagnumError(
        "The service has met a fault of its own. The operator finds it in the log by the request's id."
    )
