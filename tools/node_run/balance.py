"""A TCP balancer for the virtual addresses of one network, inside its router: what an amphora would do.

``python -P -m tools.node_run.balance FILE`` reads which addresses and ports lead to which members from a JSON file,
again whenever it changes. Connections go round the members; one that does not accept within a second is passed over,
which is all the health monitoring there is.
"""

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

CONNECT = 1.0  # seconds
RELOAD = 0.5  # seconds between two looks at the file
_CHUNK = 65536

Place = tuple[str, int]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Front:
    """One address and port, and the members behind it."""

    address: str
    port: int
    members: tuple[Place, ...]


def read(file: Path) -> list[Front]:
    """What the file says; nothing where there is no file."""
    try:
        known = json.loads(file.read_text())
    except FileNotFoundError:
        return []
    return [
        Front(one["address"], one["port"], tuple((ip, port) for ip, port in one["members"]))
        for one in known
    ]


def write(file: Path, fronts: list[Front]) -> bool:
    """Write the file in one rename; says whether it changed."""
    text = json.dumps([vars(front) for front in fronts], indent=1) + "\n"
    if file.exists() and file.read_text() == text:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.write_text(text)
    draft.rename(file)
    return True


class Balancer:
    """Listens for fronts, and changes what it listens for while it runs."""

    def __init__(self) -> None:
        self._servers: dict[Place, asyncio.Server] = {}
        self._members: dict[Place, tuple[Place, ...]] = {}
        self._turns: dict[Place, Iterator[int]] = {}

    async def serve(self, fronts: list[Front]) -> None:
        """Listen for exactly these fronts; connections that exist go on."""
        wanted = {(front.address, front.port): front.members for front in fronts}
        for place in self._servers.keys() - wanted.keys():
            self._servers.pop(place).close()
        self._members = wanted
        for place in wanted.keys() - self._servers.keys():
            self._turns.setdefault(place, itertools.count())
            self._servers[place] = await asyncio.start_server(self._handler(place), *place)

    def _handler(self, place: Place) -> Handler:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there = await self._connect(place)
            ends = [writer]
            if there is not None:
                far_reader, far_writer = there
                ends.append(far_writer)
                await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
            for end in ends:
                end.close()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

        return handle

    async def _connect(
        self, place: Place
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        members = self._members.get(place, ())
        first = next(self._turns[place])
        for number in range(len(members)):
            member = members[(first + number) % len(members)]
            with contextlib.suppress(OSError, TimeoutError):
                return await asyncio.wait_for(asyncio.open_connection(*member), CONNECT)
        return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what comes, and its end."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def follow(file: Path) -> None:
    """Serve what the file says, until told to end."""
    balancer = Balancer()
    seen: list[Front] | None = None
    while True:
        fronts = read(file)
        if fronts != seen:
            try:
                await balancer.serve(fronts)
                seen = fronts
            except OSError as error:  # an address that is not there yet
                print(f"not served yet: {error}", flush=True)
        await asyncio.sleep(RELOAD)


def main() -> None:
    """Run as a script."""
    asyncio.run(follow(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
