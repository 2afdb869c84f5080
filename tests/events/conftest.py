"""Failure events leave the process: to standard output, files, and a real NATS JetStream.

Needs ONEVELOPE, the path of a built binary, and nats-server on the PATH.
"""

import os
import sys

sys.dont_write_bytecode = True

import pytest

from gateway import Gateway
from stream import NatsServer
from vendor import Caller, Vendor


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("ONEVELOPE")
    if not path or not os.access(path, os.X_OK):
        pytest.exit(f"ONEVELOPE={path!r} is no program; build onevelope and set it to the binary's path", returncode=2)
    return os.path.abspath(path)


@pytest.fixture(scope="session")
def vendor():
    vendor = Vendor()
    yield vendor
    vendor.close()


@pytest.fixture
def caller():
    return Caller()


@pytest.fixture
def start(binary, vendor, tmp_path):
    """Starts a gateway with a text for [events]."""
    started = []

    def start(events, **options):
        started.append(Gateway(binary, vendor, tmp_path, events, **options))
        return started[-1]

    yield start
    for gateway in started:
        gateway.close()


@pytest.fixture
def nats(tmp_path):
    server = NatsServer(tmp_path / "jetstream")
    yield server
    server.kill()
