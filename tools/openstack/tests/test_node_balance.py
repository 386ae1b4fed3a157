"""The balancer, on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tools.node_run.balance import Balancer, Front
from tools.openstack.processes import free_port


@asynccontextmanager
async def member(word: bytes) -> AsyncIterator[tuple[str, int]]:
    """A server that answers each line with its word and that line."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(word + await reader.readline())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield "127.0.0.1", server.sockets[0].getsockname()[1]


async def ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"?\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def test_connections_go_round_those_that_answer() -> None:
    async def scene() -> None:
        port, dead = free_port(), ("127.0.0.1", free_port())
        balancer = Balancer()
        async with member(b"a") as a, member(b"b") as b:
            await balancer.serve([Front("127.0.0.1", port, (a, dead, b))])
            answers = [await ask(port) for _ in range(6)]
            assert set(answers) == {b"a?\n", b"b?\n"}
            await balancer.serve([Front("127.0.0.1", port, (b,))])
            assert [await ask(port) for _ in range(3)] == [b"b?\n"] * 3
            await balancer.serve([Front("127.0.0.1", port, (dead,))])
            assert await ask(port) == b""
            await balancer.serve([])
            try:
                await ask(port)
            except ConnectionRefusedError:
                return
            raise AssertionError("it listens still")

    asyncio.run(scene())
