"""onevelope under a real Prometheus. Needs ONEVELOPE, the path of a built binary, and Debian's `prometheus`."""

import os
import shutil
import sys

sys.dont_write_bytecode = True

import pytest

from running import Gateway, Prometheus, Vendor
from script import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """The scripted run, done; onevelope and Prometheus are still there to be asked."""
    binary = os.environ.get("ONEVELOPE", "")
    if not os.access(binary, os.X_OK):
        pytest.exit(f"ONEVELOPE={binary!r} is no program; build onevelope and set it to the binary's path", returncode=2)
    if not shutil.which("prometheus"):
        pytest.exit("no prometheus: apt-get install prometheus", returncode=2)
    running = []
    try:
        running.append(Vendor())
        running.append(Gateway(os.path.abspath(binary), running[0].address, tmp_path_factory.mktemp("onevelope")))
        running.append(Prometheus(running[1].admin, tmp_path_factory.mktemp("prometheus")))
        run = Run(*running)
        run.go()
        yield run
    finally:
        for program in reversed(running):
            program.close()
