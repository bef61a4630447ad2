"""A small installation under a real supervisor, started as a program by the tests.

Arguments: home, port, a word: `plain`, `database` (with the embedded server) or `broken` (a part that dies).
"""

import sys
from pathlib import Path

from yikatong.runtime.errors import CannotStart
from yikatong.runtime.postgres import Cluster
from yikatong.runtime.program import Program
from yikatong.runtime.supervisor import Supervisor

SERVER = """
import http.server, subprocess, sys
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *args):
        print("asked for", self.path)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Health).serve_forever()
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""


def main(home: Path, port: str, kind: str) -> None:
    url = f"http://127.0.0.1:{port}/healthz"
    with Supervisor(run_dir=home / "run", log_dir=home / "logs") as supervisor:
        if kind == "database":
            supervisor.take_database(Cluster(home))
        supervisor.add(Program("web", [sys.executable, "-c", SERVER, port], url))
        if kind == "broken":
            supervisor.add(
                Program(
                    "broken", [sys.executable, "-c", "raise SystemExit('no luck')"], "http://127.0.0.1:1/"
                )
            )
        else:
            supervisor.add(Program("deaf", [sys.executable, "-c", STUBBORN], grace_s=0.3))
        supervisor.run(lambda: supervisor.say("ready"))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
    except CannotStart as error:
        sys.exit(str(error))
