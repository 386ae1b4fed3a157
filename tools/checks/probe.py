"""Does a server let us in? The one place that knows; the tests and `tools/test` both ask here.

Run as `python -m tools.checks.probe URL...`: prints the first URL that lets us in, or says why none does.
"""

import sys

import kombu.connection
import kombu.exceptions
import sqlalchemy
import sqlalchemy.exc

TIMEOUT = 5  # seconds


def refusal(url: str) -> str | None:
    """Log in to a database or broker; None when that worked, else the server's reason in one line.

    :param url: as SQLAlchemy or oslo.messaging writes it.
    """
    try:
        if url.startswith(("rabbit:", "amqp:")):
            _log_in_to_broker(url)
        else:
            _log_in_to_database(url)
    except (OSError, sqlalchemy.exc.SQLAlchemyError, kombu.exceptions.KombuError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None


def _log_in_to_database(url: str) -> None:
    engine = sqlalchemy.create_engine(
        url, connect_args={"connect_timeout": TIMEOUT}, poolclass=sqlalchemy.NullPool
    )
    with engine.connect():
        pass


def _log_in_to_broker(url: str) -> None:
    address = "amqp:" + url.partition(":")[2]
    connection = kombu.connection.Connection(address, connect_timeout=TIMEOUT)
    try:
        connection.connect()
    finally:
        connection.release()


def main(urls: list[str]) -> int:
    """Print the first URL that lets us in; 1 and the reasons if none does."""
    reasons = []
    for url in urls:
        reason = refusal(url)
        if reason is None:
            print(url)
            return 0
        reasons.append(f"{url}: {reason}")
    print("\n".join(reasons), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
