"""One SDK call made twice, straight to the vendor and through the gateway, and what must then be equal."""

import re
from dataclasses import dataclass

from wire import HOP_BY_HOP

OUTCOMES = ("succeeded", "accepted", "failed", "not_attempted", "unknown")


@dataclass(frozen=True)
class Verdict:
    """What the gateway has to say about a call: the batch's outcome and how many items there are of each."""

    outcome: str
    succeeded: int = 0
    accepted: int = 0
    failed: int = 0
    not_attempted: int = 0
    unknown: int = 0

    @property
    def items(self):
        counts = {name: getattr(self, name) for name in OUTCOMES}
        return {"total": sum(counts.values())} | counts


@dataclass(frozen=True)
class Made:
    """One call: what the program saw, what was sent, what the vendor received, what came back."""

    result: tuple
    sent: object
    received: object
    status: int
    headers: dict
    body: bytes


def make(call, vendor, tap):
    """Runs `call`, which returns what the program sees: ("returned", text) or ("raised", type, code, ...)."""
    vendor.asked.clear()
    tap.sent.clear(), tap.got.clear()
    result = call()
    sent, response = tap.take()
    headers = {name.lower(): value for name, value in response.raw.headers.items()}
    return Made(result, sent, vendor.take(), response.status_code, headers, response.content)


def items(header):
    """`total=3, succeeded=0` -> {"total": 3, "succeeded": 0}; a structured-field dictionary of integers."""
    pairs = [re.fullmatch(r"([a-z_]+)=(\d+)", part.strip()) for part in header.split(",")]
    assert all(pairs), f"Onevelope-Items is {header!r}"
    return {pair[1]: int(pair[2]) for pair in pairs}


def the_vendor_got_what_was_sent(made, host=None):
    """Method, path, query, body and every header of the client, byte for byte. `host`: what the vendor must see as Host."""
    sent, received = made.sent, made.received
    assert not received.absolute, f"the vendor got an absolute-form request: {received.target}"
    assert (received.method, received.path) == (sent.method, sent.path)
    assert received.body == sent.body
    had, has = sent.end_to_end(), received.end_to_end()
    # What the gateway can decode decides what it asks for; no signature covers it.
    had.pop("accept-encoding", None), has.pop("accept-encoding", None)
    if host:
        had["host"] = host
    changed = {name: (value, has.get(name)) for name, value in had.items() if has.get(name) != value}
    assert not changed, f"changed on the way (sent, received): {changed}"
    added = {name for name in has if name not in had}
    assert not [n for n in added if n.startswith(("onevelope-", "x-tc-", "x-sdk-", "x-project"))], f"added on the way: {added}"


def the_program_saw_no_difference(direct, through):
    assert through.result == direct.result
    assert (through.status, through.body) == (direct.status, direct.body)

    def plain(headers):
        return {n: v for n, v in headers.items() if n not in HOP_BY_HOP and not n.startswith("onevelope-")}

    expected, got = plain(direct.headers), plain(through.headers)
    if "transfer-encoding" in direct.headers:
        # Framing belongs to each connection: what came in pieces may go on with a length.
        got.pop("content-length", None)
    assert got == expected


def the_verdict_was_told(made, verdict, moved, vendor, vendor_status):
    """In the reply's headers, and in the metrics by exactly as much."""
    assert made.headers.get("onevelope-outcome") == verdict.outcome
    assert items(made.headers["onevelope-items"]) == verdict.items
    assert made.headers["onevelope-upstream-status"] == str(vendor_status)
    assert re.fullmatch(rf'"{vendor}/[\w.-]+"', made.headers["onevelope-profile"]), made.headers["onevelope-profile"]
    assert made.headers["onevelope-request-id"]
    the_metrics_moved(moved, verdict, vendor)


def the_metrics_moved(moved, verdict, vendor):
    rows = [(dict(labels), increase) for labels, increase in moved.items()]
    counted = {outcome: sum(n for labels, n in rows if labels["outcome"] == outcome) for outcome in OUTCOMES}
    assert {"total": sum(counted.values())} | counted == verdict.items, f"rows that moved: {rows}"
    assert {labels["vendor"] for labels, _ in rows} <= {vendor}, rows
    assert len({(labels["service"], labels["action"]) for labels, _ in rows}) <= 1, rows
