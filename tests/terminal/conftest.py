"""`onevelope top` and `onevelope tap` in a real terminal, which is tmux.

Needs ONEVELOPE, the path of a built binary, and tmux on the PATH.
"""

import os
import shutil
import sys

sys.dont_write_bytecode = True

import pytest

from gateway import Gateway
from terminal import Terminal
from vendor import Caller, Vendor


@pytest.fixture(scope="session")
def binary():
    path = os.environ.get("ONEVELOPE")
    if not path or not os.access(path, os.X_OK):
        pytest.exit(f"ONEVELOPE={path!r} is no program; build onevelope and set it to the binary's path", returncode=2)
    if not shutil.which("tmux"):
        pytest.exit("tmux is not installed", returncode=2)
    return os.path.abspath(path)


@pytest.fixture
def gateway(binary, tmp_path):
    vendor = Vendor()
    gateway = Gateway(binary, vendor, tmp_path, "")
    yield gateway
    gateway.close()
    vendor.close()


@pytest.fixture
def caller():
    return Caller()


@pytest.fixture
def terminal(tmp_path):
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()
