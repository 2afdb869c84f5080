"""The vendors' own Python SDKs, unmodified, through a running onevelope.

The vendor at the other end is a fake: an HTTP server in this process that records the bytes it gets and replies what the
test gives it. It stands in for the real clouds, which need accounts and would stop real machines. What it replies has the
shapes of the vendors' documentation with invented values. It checks no signature itself; `signatures.py` does, on what arrived.

Needs ONEVELOPE, the path of a built binary.
"""

import os
import sys

sys.dont_write_bytecode = True

import pytest

from gateway import Gateway
from wire import Recorder, Tap


@pytest.fixture(scope="session")
def _vendor():
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def vendor(_vendor):
    """The fake vendor, with nothing recorded yet."""
    _vendor.asked.clear()
    return _vendor


@pytest.fixture(scope="session")
def gateway(_vendor, tmp_path_factory):
    binary = os.environ.get("ONEVELOPE")
    if not binary or not os.access(binary, os.X_OK):
        pytest.exit(f"ONEVELOPE={binary!r} is no program; build onevelope and set it to the binary's path", returncode=2)
    running = Gateway(os.path.abspath(binary), _vendor.address, tmp_path_factory.mktemp("gateway"))
    yield running
    running.close()


@pytest.fixture
def tap(monkeypatch):
    """Records what the SDK under test writes and gets; also shields it from the proxies of whoever runs the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    tap = Tap()
    tap.install(monkeypatch)
    return tap


@pytest.fixture(autouse=True)
def alive(gateway):
    """A gateway that died is told at once, with its log, and not as a hundred refused connections."""
    yield
    if gateway.process.poll() is not None:
        pytest.exit(f"onevelope ended with {gateway.process.returncode}:\n{gateway.log.read_text(errors='replace')[-4000:]}", returncode=3)
