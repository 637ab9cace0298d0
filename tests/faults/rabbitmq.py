"""A RabbitMQ for tests, on ports and files of its own."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kombu import Connection

from nexus.devservices.processes import log_file, start
from nexus.devservices.servers import HOST, free_port

# Where Debian's package has it; the program on the PATH insists on another user.
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@dataclass
class RabbitMQ:
    """A broker that keeps its data below a directory."""

    directory: Path
    port: int = field(default_factory=free_port)
    distribution_port: int = field(default_factory=free_port)
    mapper_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """What CELERY_BROKER_URL is to be."""
        return f"amqp://guest:guest@{HOST}:{self.port}//"

    def start(self) -> None:
        """Start it; `answers` says when it is ready."""
        with log_file(self.directory / "rabbitmq.log") as output:
            self.process = start(
                [PROGRAM],
                env=self._environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                dying_wish=signal.SIGKILL,
            )

    def answers(self) -> bool:
        """Whether it takes connections."""
        with suppress(OSError), Connection(self.url, connect_timeout=1) as connection:
            connection.connect()
            return True
        return False

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        # Erlang's own daemon outlives whoever has started it.
        subprocess.run(
            ["epmd", "-port", str(self.mapper_port), "-kill"],
            capture_output=True,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        home = str(self.directory)
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": home,
            "ERL_EPMD_PORT": str(self.mapper_port),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": "nexus@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": f"{home}/mnesia",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
        }
