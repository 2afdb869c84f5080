"""onevelope reads a request as vendors' servers do, however it is spelled.

Requests of the cases in tests/profiles are spelled otherwise at random (`spellings/`) and read by onevelope and by parsers that
are not ours (`parsers.py`). What a server would do with the odd spelling, a plain one says too, and onevelope must read both
alike or say that it is not certain (`asked_unclear`): never fewer resources, never others, never another action.

    READINGS=<seed>:<times>   spells each case so many times; left out: 1:1
"""

import os
import pathlib
import random
from collections import Counter

import pytest

import parsers
from conftest import needed
from readers import Readers
from spellings import Request, spelled

CASES = pathlib.Path(__file__).parents[1] / "profiles"
SEED, TIMES = map(int, os.environ.get("READINGS", "1:1").split(":"))
VENDORS = sorted(path.name for path in CASES.iterdir())
# Vendors whose spellings are many enough to say how many of them must be read alike.
COMPARED = {"aws", "huawei", "tencent", "azure", "gcp", "openstack"}


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    binary = needed("ONEVELOPE", pathlib.Path(os.environ.get("ONEVELOPE", "")))
    running = Readers(binary, VENDORS, tmp_path_factory.mktemp("readers"))
    yield running
    running.close()


def captured(path):
    """A request as it stands in a file."""
    text = path.read_bytes()
    head, _, body = text.partition(b"\r\n\r\n") if b"\r\n\r\n" in text else text.partition(b"\n\n")
    first, *lines = head.decode().splitlines()
    method, target = first.split(" ")[:2]
    headers = tuple(tuple(part.strip() for part in line.split(":", 1)) for line in lines)
    return Request(method, target, tuple((n, v) for n, v in headers if n.lower() != "content-length"), body)


def parser_of(vendor, request):
    """Who reads a vendor's request, and in which ways it may be spelled."""
    body = request.body.strip()
    if vendor in ("aws", "s3"):
        wire = {b"{": ["json"], b"<": ["xml"]}.get(body[:1], ["parameters", "form"])
        return parsers.aws, [*wire, "head", "path"]
    if request.is_form or (request.query and not body):
        return parsers.form, ["parameters"]
    if body[:1] in (b"{", b"[") and "json" in request.get("content-type") and "ndjson" not in request.get("content-type"):
        return parsers.jsons, ["json"]
    return None, []


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_request_is_read_as_servers_read_it(vendor, readers):
    wrong, tried = [], Counter()
    for path in sorted((CASES / vendor).glob("*/*/request.http")):
        request = captured(path)
        parser, about = parser_of(vendor, request)
        if parser is None:
            continue
        original = readers.served(vendor, request)
        assert original.action, f"{path}: not recognised as it stands"
        for turn in range(TIMES):
            source = random.Random(f"{SEED + turn} {path.relative_to(CASES)}")
            ways, odd = spelled(source, request, about, source.randint(1, 3))
            what = compare(readers, vendor, parser, original.service if vendor == "aws" else vendor, odd)
            tried[what.split(":")[0]] += 1
            if ":" in what:
                wrong.append(f"{path.parent.relative_to(CASES)} {'+'.join(ways)}: {what}\n{odd.text()}\n")
    print(vendor, dict(tried))
    assert not wrong, f"READINGS={SEED}:{TIMES}, {len(wrong)} of {tried.total()}\n" + "\n".join(wrong[:20])
    if vendor in COMPARED:
        assert tried["alike"] > tried.total() / 4, f"most spellings say nothing: {tried}"


def compare(readers, vendor, parser, label, odd):
    own = readers.served(vendor, odd)
    if is_text(odd) and (explained := readers.explained(vendor, odd)) != own:
        return f"explain differs: serve reads {own}, explain {explained}"
    if not own.certain:
        return "unclear"
    try:
        plainly = parser(odd, label)
    except parsers.Refused:
        return "refused"
    for plain in plainly:
        other = readers.served(vendor, plain)
        if other.said() != own.said():
            return f"differs: onevelope reads {own.said()}, the server {other.said()}\n{plain.text()}"
    return "alike"


def is_text(request):
    """Whether it can be pasted."""
    return request.body.isascii() and b"\0" not in request.body and b"\r" not in request.body
