"""Which step comes before which. A graph maps each step to the steps it needs; it may have cycles."""

from collections.abc import Iterator, Mapping, Sequence

Graph = Mapping[str, Sequence[str]]


def ancestors(graph: Graph, step: str) -> set[str]:
    """Return every step that must have ended before this one begins; on a cycle, the step itself too."""
    found: set[str] = set()
    waiting = list(graph.get(step, ()))
    while waiting:
        need = waiting.pop()
        if need not in found:
            found.add(need)
            waiting.extend(graph.get(need, ()))
    return found


def cycles(graph: Graph) -> Iterator[list[str]]:
    """Yield a shortest cycle of each group of steps that need one another, as a list of its steps."""
    reached = {step: ancestors(graph, step) for step in graph}
    seen: set[str] = set()
    for step in graph:
        if step in reached[step] and step not in seen:
            seen.update(other for other in graph if other in reached[step] and step in reached[other])
            yield _shortest_way_back(graph, step)


def _shortest_way_back(graph: Graph, step: str) -> list[str]:
    visited: set[str] = set()
    ways = [[step]]
    for way in ways:
        for need in graph.get(way[-1], ()):
            if need == step:
                return way
            if need not in visited:
                visited.add(need)
                ways.append([*way, need])
    raise ValueError(f"{step!r} is on no cycle")
