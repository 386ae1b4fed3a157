"""What is measured and printed: reads as ratios to the floor, and how fast requests are accepted."""

from typing import Any

from tools.benchmark.load import Request, in_turn, measure
from tools.benchmark.stage import Stage


def compare(stage: Stage, rounds: int) -> None:
    """Print our reads beside the floor's, each pair sent in turn."""

    def ours(path: str) -> Request:
        return Request(stage.api, path, headers=stage.headers)

    def floor(limit: int) -> Request:
        return Request(stage.floor, f"/?limit={limit}")

    rows = [
        ("GET one", ours(f"/v1/bays/{stage.bay}"), floor(1), "3 x floor"),
        ("list 100", ours("/v1/bays?limit=100"), floor(100), "2 x floor"),
        ("list 1000", ours("/v1/bays?limit=1000"), floor(1000), "2 x floor"),
    ]
    measure(lambda _: ours("/v1/bays?limit=1"), 40, at_once=8)  # every worker has seen the token
    print(f"{'what':<12}{'ours':>12}{'floor':>12}{'ratio':>8}   budget")
    for name, mine, theirs, budget in rows:
        took, least = in_turn(rounds, mine, theirs)
        print(
            f"{name:<12}{took * 1000:>9.1f} ms{least * 1000:>9.1f} ms{took / least:>8.2f}   {budget}"
        )


def accept(stage: Stage, posts: int) -> None:
    """Print how long it takes to accept a bay, alone and from eight callers at once. No conductor runs."""

    def post(number: int) -> Request:
        body: dict[str, Any] = {"name": f"posted-{number}", "baymodel_id": stage.baymodel}
        return Request(stage.api, "/v1/bays", "POST", stage.headers, body, 202)

    alone = measure(post, 50)
    print(
        f"{'POST alone':<12}{alone.median * 1000:>9.1f} ms{'':>20}   p95 {alone.p95 * 1000:.1f} ms"
    )
    many = measure(post, posts, at_once=8)
    print(
        f"{'POST by 8':<12}{many.median * 1000:>9.1f} ms{'':>20}   p95 {many.p95 * 1000:.1f} ms, "
        f"{many.rate:.0f} accepted/s   budget: p95 60 ms, 150/s; no conductor runs"
    )
