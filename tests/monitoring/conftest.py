"""onevelope under a real Prometheus. Needs ONEVELOPE, the path of a built binary, and Debian's `prometheus`."""

import contextlib
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
    for _ in range(3):
        with contextlib.ExitStack() as stack:
            started = lambda program: stack.enter_context(contextlib.closing(program))
            vendor = started(Vendor())
            gateway = started(Gateway(os.path.abspath(binary), vendor.address, tmp_path_factory.mktemp("onevelope")))
            prometheus = started(Prometheus(gateway.admin, tmp_path_factory.mktemp("prometheus")))
            run = Run(vendor, gateway, prometheus)
            run.go()
            # A scrape that timed out, as on a busy machine, was shown and not stored: nobody can ask for the units in it.
            if prometheus.value("min(min_over_time(up[1h]))") == 1:
                yield run
                return
    pytest.exit("Prometheus lost scrapes in three runs: this machine is too busy for one scrape a second", returncode=4)
