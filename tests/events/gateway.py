"""Starts `onevelope serve` with an [events] table, stops it in every way, reads its counters."""

import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

CONFIGURATION = """
[listen]
address = "127.0.0.1:{listen}"

[admin]
address = "127.0.0.1:{admin}"

[routes.all]
vendor   = "huawei"
upstream = "vendor"

[upstreams.vendor]
url = "http://{vendor}"

[drain]
deadline = "{drain}"

{events}
"""


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("ONEVELOPE")
    if not path or not os.access(path, os.X_OK):
        pytest.exit(f"ONEVELOPE={path!r} is no program; build onevelope and set it to the binary's path", returncode=2)
    return os.path.abspath(path)


class Gateway:
    """A gateway that can be started again in the same folder."""

    def __init__(self, binary, vendor, directory, events, stdout=subprocess.DEVNULL, env=None, drain="20s"):
        self.binary, self.stdout, self.env = binary, stdout, os.environ | (env or {})
        self.log = pathlib.Path(directory) / "onevelope.log"
        self.file = pathlib.Path(directory) / "onevelope.toml"
        self.ports = free_ports("listen", "admin")
        self.file.write_text(CONFIGURATION.format(vendor=vendor.address, events=events, drain=drain, **self.ports))
        self.process = None
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            # Signals as they are here: a file that may not grow shall be an error to the gateway, not SIGXFSZ.
            self.process = subprocess.Popen([self.binary, "serve", "--config", self.file], stdin=subprocess.DEVNULL,
                                            stdout=self.stdout, stderr=log, env=self.env, restore_signals=False)
        until(lambda: self.ready(), "the gateway is ready")

    def ready(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.admin("/readyz")[0] == 200
        except OSError:
            return False

    def admin(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["admin"], timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def count(self, name, **labels):
        """A sample's value; a row that should be there and is not fails the test."""
        wanted = set(labels.items())
        for line in self.admin("/metrics")[1].splitlines():
            match = re.match(rf"{name}(?:\{{(.*)\}})? (\S+)$", line)
            if match and set(re.findall(r'(\w+)="([^"]*)"', match[1] or "")) == wanted:
                return float(match[2])
        raise AssertionError(f"no {name} {labels}")

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def stop(self, within=30):
        """SIGTERM. Returns how long the end took, in seconds."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(within) == 0, self.log.read_text()
        return time.monotonic() - began

    def close(self):
        if self.process.poll() is None:
            self.kill()


def until(true, what, within=60):
    """Waits for a condition; fails with what it was."""
    deadline = time.monotonic() + within
    while not (value := true()):
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.02)
    return value


def free_ports(*names):
    sockets = {name: socket.socket() for name in names}
    for s in sockets.values():
        s.bind(("127.0.0.1", 0))
    ports = {name: s.getsockname()[1] for name, s in sockets.items()}
    for s in sockets.values():
        s.close()
    return ports


def run(binary, *arguments):
    """One command: its exit code, standard output and standard error."""
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=os.environ | {"NO_COLOR": "1"})
    return done.returncode, done.stdout, done.stderr
