"""The legacy Tencent API (v2), whose SDK speaks HTTPS only: its recorded requests are sent again, byte for byte.

`data/tencent_v2_*.json` says where each was recorded. They go to the gateway as an HTTP proxy gets them (absolute form) and as a
server does (origin form with the vendor's Host).
"""

import json
import pathlib
import socket

import pytest

import signatures
from calls import Verdict, items, the_metrics_moved
from wire import Reply, parse

DATA = {p.stem.removeprefix("tencent_v2_"): json.loads(p.read_text()) for p in sorted((pathlib.Path(__file__).parent / "data").glob("tencent_v2_*.json"))}
A, B = "qcvm6a456b0d8f01d4b2b1f5073d3fb8ccc0", "qcvm6a456b0d8f01d4b2b1f5073d3fb8ccc1"


def reply(code, message, **more):
    return Reply(200, json.dumps({"code": code, "message": message} | more, ensure_ascii=False).encode(), (("Content-Type", "application/json"), ("Server", "nginx")))


def taken(task):
    return {"code": 0, "message": "", "requestId": task}


REPLIES = {
    "all taken": (reply(0, "success", detail={A: taken("1231231231231"), B: taken("1231231231232")}), Verdict("accepted", accepted=2)),
    "some failed": (reply(5400, "部分执行成功", codeDesc="PartialSuccess", detail={A: taken(77), B: {"code": 5100, "message": "(16008)state"}}),
                    Verdict("partial", accepted=1, failed=1)),
    "all failed": (reply(5100, "operation failed", detail={A: {"code": 5000, "message": "instance not exist"}, B: {"code": 5100, "message": "locked"}}),
                   Verdict("failed", failed=2)),
    "wrong signature": (reply(4100, "signature error", codeDesc="AuthFailure"), Verdict("failed", failed=2)),
    # An empty map of PHP. "Some failed" without the list that tells which: nobody knows.
    "some failed, empty list": (reply(5400, "partial success", detail=[]), Verdict("unknown", unknown=2)),
    # Text where the page has a number, and the task's id a number.
    "all taken, codes as text": (reply("0", "", detail={A: taken(1) | {"code": "0"}, B: taken(2) | {"code": "0"}}), Verdict("accepted", accepted=2)),
}


def as_sent(recorded, absolute):
    """The recorded bytes; in absolute form only the target differs, as it does when a client uses a proxy."""
    method, target, version = recorded["request_line"].split(" ")
    host = dict(recorded["headers"])["Host"]
    lines = [f"{method} {f'http://{host}' if absolute else ''}{target} {version}", *(f"{n}: {v}" for n, v in recorded["headers"]), "Connection: close"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + recorded["body"].encode()


def exchange(address, raw):
    """(status, {header: value}, body), read to the end of the connection; nothing in between that could tidy up."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=15) as s:
        s.sendall(raw)
        answer = b"".join(iter(lambda: s.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").split("\r\n")
    return int(start.split(" ")[1]), {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}, body


def test_the_recordings_are_there_and_their_signatures_are_valid():
    assert len(DATA) == 4
    for recorded in DATA.values():
        head, _, body = as_sent(recorded, absolute=False).partition(b"\r\n\r\n")
        assert signatures.tencent_v1(parse(head, body), recorded["secret_key"])


@pytest.mark.parametrize("form", ["absolute", "origin"])
@pytest.mark.parametrize("told", REPLIES)
@pytest.mark.parametrize("name", DATA)
def test_a_recorded_call_arrives_unchanged_and_its_verdict_is_told(name, told, form, vendor, gateway):
    recorded, (vendor.reply, verdict) = DATA[name], REPLIES[told]
    before = gateway.metrics()
    status, headers, body = exchange(gateway.address("proxy"), as_sent(recorded, absolute=form == "absolute"))

    received = vendor.take()
    _, target, _ = recorded["request_line"].split(" ")
    assert (received.target, received.body) == (target, recorded["body"].encode())
    sent = {n.lower(): v for n, v in recorded["headers"]}
    assert {n: received.header(n) for n in sent if n != "accept-encoding"} == {n: v for n, v in sent.items() if n != "accept-encoding"}
    assert signatures.tencent_v1(received, recorded["secret_key"]), "the vendor would refuse the signature"

    assert (status, body, headers["content-type"]) == (200, vendor.reply.body, "application/json")
    assert headers.get("onevelope-outcome") == verdict.outcome
    assert items(headers["onevelope-items"]) == verdict.items
    moved = gateway.moved(before)
    the_metrics_moved(moved, verdict, "tencent")
    # v2 puts the action, and all secrets, into the query or the form: it must be the label, and nothing else of them.
    action = next(part for part in (target + "&" + recorded["body"]).split("&") if part.startswith("Action=")).removeprefix("Action=")
    assert {dict(row)["action"] for row in moved} == {action}


def test_no_secret_of_a_v2_query_reaches_the_log(vendor, gateway):
    for recorded in DATA.values():
        vendor.reply = REPLIES["wrong signature"][0]
        exchange(gateway.address("proxy"), as_sent(recorded, absolute=True))
        vendor.take()
    log = gateway.log.read_text(errors="replace")
    pairs = [part for r in DATA.values() for part in (r["request_line"].split(" ")[1] + "&" + r["body"]).replace("?", "&").split("&")]
    secrets = [value for name, _, value in (p.partition("=") for p in pairs) if name in ("Signature", "SecretId", "password")]
    assert len(secrets) == 9 and not [s for s in secrets if s in log]
