"""``make benchmark``: every measurement that can run on this machine, one after the other."""

import subprocess
import sys

MEASUREMENTS = ("classifier_cold", "rules", "rules_catalogue", "http")


def main() -> None:
    """Run all measurements; exit code 1 when one of them could not run."""
    failed = [name for name in MEASUREMENTS if not runs(name)]
    if failed:
        sys.exit(f"Not measured: {', '.join(failed)}; see above.")


def runs(name: str) -> bool:
    """Run one measurement, and say whether it came to its end."""
    print(f"\n== {name}", flush=True)
    return subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode == 0


if __name__ == "__main__":
    main()
