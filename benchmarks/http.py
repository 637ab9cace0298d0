"""Requests a second over HTTP, beside another server that does the same work.

    python -m benchmarks.http [--peer FOLDER] [--seconds 4] [--rounds 3] [--only TEXT]

Starts PostgreSQL and Redis for itself, and on them Nexus as in production and the FastAPI application of a folder,
with two workers and the same number of products each. Both are up at once; the runs of wrk take turns. Prints a
table of medians with their ratios (Nexus divided by the peer), and one JSON line. All load stays on 127.0.0.1.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.load import ENDPOINTS, Endpoint, MeasurementError, Result, check, require_wrk, run
from benchmarks.servers import DIRECTORY, Server, start_nexus, start_peer
from nexus import devservices

CONNECTIONS = (16, 64)
WARM_UP_SECONDS = 3

# By endpoint, number of connections and server, in the order of the rounds.
Results = dict[tuple[str, int, str], list[Result]]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--peer", type=Path, metavar="FOLDER", help="holds app.py, models.py, requirements.txt"
    )
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", metavar="TEXT", help="endpoints with this text in their name")
    return parser.parse_args()


def measure(servers: Sequence[Server], endpoints: Sequence[Endpoint], seconds: int, rounds: int) -> Results:
    """Run all of it; round 0 is the one that warms everything up, and is not kept."""
    results: Results = {}
    for number in range(rounds + 1):
        targets = [server.sign_in() for server in servers]
        for endpoint in endpoints:
            for target in targets:
                check(target, endpoint, f"check-{number}-{endpoint.method}")
            for connections in CONNECTIONS if number else CONNECTIONS[:1]:
                mark = f"{number}-{connections}-{endpoint.method}"
                duration = seconds if number else WARM_UP_SECONDS
                for target in targets:
                    measured = run(target, endpoint, connections, duration, mark)
                    if number:
                        results.setdefault((endpoint.name, connections, target.name), []).append(measured)
        tell(f"round {number} of {rounds}")
    return results


def tell(text: str) -> None:
    """Say how far it is, apart from the table."""
    print(text, file=sys.stderr, flush=True)


def rows(results: Results) -> list[dict[str, object]]:
    """The medians of each endpoint and number of connections; the ratio where there was a peer."""
    return [
        figures(name, connections, nexus, results.get((name, connections, "peer")))
        for (name, connections, server), nexus in results.items()
        if server == "nexus"
    ]


def figures(
    name: str, connections: int, nexus: Sequence[Result], peer: Sequence[Result] | None
) -> dict[str, object]:
    """One line of the table."""
    mine = median(one.requests_per_second for one in nexus)
    line: dict[str, object] = {
        "endpoint": name,
        "connections": connections,
        "nexus": round(mine),
        "nexus_p50_ms": round(median(one.p50_ms for one in nexus), 1),
        "nexus_p99_ms": round(median(one.p99_ms for one in nexus), 1),
    }
    if peer:
        theirs = median(one.requests_per_second for one in peer)
        line |= {
            "peer": round(theirs),
            "peer_p50_ms": round(median(one.p50_ms for one in peer), 1),
            "peer_p99_ms": round(median(one.p99_ms for one in peer), 1),
            "ratio": round(mine / theirs, 2),
        }
    return line


def table(lines: Sequence[dict[str, object]]) -> str:
    """The lines as a table in Markdown."""
    names = list(lines[0])
    printed = [names, ["---"] * len(names), *([str(line[name]) for name in names] for line in lines)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in printed)


def start_all(stack: ExitStack, peer: Path | None, products: int) -> list[Server]:
    """Nexus, and the peer where there is one."""
    services = devservices.throw_away()
    DIRECTORY.mkdir(exist_ok=True)
    tell(f"Making {products} products ...")
    servers = [start_nexus(stack, services, products)]
    if peer is None:
        tell("The peer is left out: no folder was given with --peer.")
    elif not (peer / "app.py").exists():
        tell(f"The peer is left out: there is no {peer / 'app.py'}.")
    else:
        servers.append(start_peer(stack, services, products, peer))
    return servers


def main() -> None:
    """Measure, and print the figures."""
    options = arguments()
    require_wrk()
    endpoints = [endpoint for endpoint in ENDPOINTS if options.only in endpoint.name]
    try:
        with ExitStack() as stack:
            servers = start_all(stack, options.peer, options.products)
            lines = rows(measure(servers, endpoints, options.seconds, options.rounds))
    except MeasurementError as reason:
        sys.exit(str(reason))
    print(table(lines))
    print(json.dumps({"seconds": options.seconds, "rounds": options.rounds, "figures": lines}))


if __name__ == "__main__":
    main()
