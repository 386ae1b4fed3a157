"""SQLite as a database of several writers: one that reads first and writes later waits for its turn."""

from pathlib import Path
from threading import Thread

from sqlalchemy import event, func, select

from magnum.common.context import service_context
from magnum.db import session
from magnum.db.models import Project
from magnum.tests import engine


def test_who_reads_before_he_writes_is_not_turned_away(tmp_path: Path) -> None:
    engine.use_database(f"sqlite:///{tmp_path}/magnum.sqlite")
    failed: list[Exception] = []

    def count_up() -> None:
        try:
            for _ in range(20):
                with session.writer(service_context()) as db:
                    known = db.scalar(select(func.count()).select_from(Project)) or 0
                    db.add(Project(project_id=f"p{known}"))
        except Exception as error:  # noqa: BLE001 - told by the test below
            failed.append(error)

    threads = [Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with session.reader(service_context()) as db:
        assert db.scalar(select(func.count()).select_from(Project)) == 80


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    engine.use_database(f"sqlite:///{tmp_path}/magnum.sqlite")
    sent: list[str] = []
    event.listen(
        session.engine(),
        "after_cursor_execute",
        lambda connection, cursor, statement, *_: sent.append(statement),
    )
    seen: list[int | None] = []

    def look() -> None:
        with session.reader(service_context()) as db:
            seen.append(db.scalar(select(func.count()).select_from(Project)))

    with session.writer(service_context()) as db:
        db.add(Project(project_id="p"))
        db.flush()
        reading = Thread(target=look)
        reading.start()
        reading.join(10)
    assert seen == [0]
    assert sent.count("BEGIN IMMEDIATE") == 1
