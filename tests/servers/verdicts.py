"""What the gateway must say about a call, and the checks that it says so: in headers, in metrics, in the envelope."""

import base64
import json
import pathlib
import re
from collections import Counter

import jsonschema

OUTCOMES = ("succeeded", "accepted", "failed", "not_attempted", "unknown")
SCHEMA = jsonschema.Draft202012Validator(
    json.loads((pathlib.Path(__file__).parents[2] / "docs" / "envelope.schema.json").read_text()))

DONE = "succeeded reported"
INFERRED = "succeeded inferred"
TAKEN = "accepted reported"
ANY = "any id"  # one that the server invents


def refused(category, code, *names):
    """The same refusal of the whole call for each item."""
    return [(name, f"failed batch {category} {code}") for name in names]


class Expected:
    """One verdict for each asked item, in the request's order: [(id or key or "#index", "outcome evidence [category [code]]")]."""

    def __init__(self, vendor, service, action, outcome, items, secret=None):
        self.vendor, self.service, self.action, self.outcome, self.items = vendor, service, action, outcome, items
        self.secret = secret  # in the server's reply, and not to be shown

    def counts(self):
        counted = Counter(said.split()[0] for _, said in self.items)
        return {"total": len(self.items)} | {outcome: counted[outcome] for outcome in OUTCOMES}

    def told_in_headers(self, headers, upstream_status):
        assert headers["onevelope-outcome"] == self.outcome
        pairs = (re.fullmatch(r"([a-z_]+)=(\d+)", part.strip()) for part in headers["onevelope-items"].split(","))
        assert {pair[1]: int(pair[2]) for pair in pairs} == self.counts()
        assert headers["onevelope-upstream-status"] == str(upstream_status)
        assert headers["onevelope-profile"].startswith(f'"{self.vendor}/')
        assert headers["onevelope-request-id"]

    def told_in_metrics(self, moved, mode, status):
        rows = moved.get("onevelope_resource_results_total", [])
        counted = Counter()
        for labels, increase in rows:
            assert (labels["vendor"], labels["service"], labels["action"]) == (self.vendor, self.service, self.action)
            counted[labels["outcome"], labels["evidence"], labels["category"]] += increase
        assert counted == Counter(tuple((said.split() + ["none"])[:3]) for _, said in self.items)
        [(labels, increase)] = moved["onevelope_requests_total"]
        assert increase == 1
        assert (labels["vendor"], labels["mode"], labels["outcome"], labels["status"]) == (self.vendor, mode, self.outcome, str(status))
        unmapped = sum(increase for _, increase in moved.get("onevelope_unmapped_codes_total", []))
        assert not unmapped, f"the profile's code table does not know a code of {self.items}"

    def told_in(self, answer, reply):
        """The envelope in `answer`, a plain client's; `reply` is what the server said to the gateway."""
        envelope = answer.json()
        SCHEMA.validate(envelope)
        assert [line(result, asked) for result, (asked, _) in zip(envelope["results"], self.items, strict=True)] == self.items
        assert [result["index"] for result in envelope["results"]] == list(range(len(self.items)))
        operation = envelope["operation"]
        assert (operation["vendor"], operation["service"], operation["action"]) == (self.vendor, self.service, self.action)
        assert envelope["outcome"] == self.outcome
        assert {name: envelope["summary"][name] for name in self.counts()} == self.counts()
        assert envelope["upstream"]["status"] == reply.start[0]
        words = reply.text()
        for error in [r["error"] for r in envelope["results"] if "error" in r] + [envelope.get("error", {})]:
            assert error.get("vendor_code", "") in words, f"the server said no {error['vendor_code']!r}: {words}"
        if self.outcome in ("succeeded", "accepted"):
            assert "raw" not in envelope and "error" not in envelope
        elif self.secret:
            assert self.secret in words and self.secret not in answer.text
        else:
            the_bytes_are_in(envelope["raw"], answer.content, reply.body)


def line(result, asked):
    name = result.get("key") or result.get("id") or f"#{result['index']}"
    if asked is ANY:
        name = ANY if "id" in result else None
    said = [result["outcome"], result["evidence"]]
    if "error" in result:
        said += [result["error"]["category"], result["error"].get("vendor_code", "")]
    return name, " ".join(said).strip()


def the_bytes_are_in(raw, answer, body):
    """The server's body, byte for byte, as the envelope's `raw` holds it."""
    assert raw["bytes"] == len(body)
    match raw["encoding"]:
        case "json":
            assert body.strip() in answer
        case "text":
            assert raw["body"].encode() == body
        case "base64":
            assert base64.b64decode(raw["body"]) == body
