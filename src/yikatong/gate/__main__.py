"""`python -m yikatong.gate`: the gate under granian, by the settings of the environment."""

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from yikatong.core import env


def main() -> None:
    settings = env.load()
    Granian(
        "yikatong.gate.app:app",
        address=settings.gate_host,
        port=settings.gate_port,
        interface=Interfaces.RSGI,
        workers=settings.gate_workers,
        loop=Loops.uvloop,
        log_level=LogLevels.warning,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=20,
    ).serve()


if __name__ == "__main__":
    main()
