"""The envelope itself, by plain HTTP: body, status line and headers follow docs/envelope.md."""

import http.client
import json
import pathlib
import time

import jsonschema
import pytest

import test_huawei as huawei
import test_tencent as tencent
from calls import Verdict, items, the_metrics_moved
from wire import Reply

SCHEMA = json.loads((pathlib.Path(__file__).parents[2] / "docs" / "envelope.schema.json").read_text())
A, B = huawei.A, huawei.B
RETRY = ("Retry-After", "7")

START = "POST", f"/v1/{huawei.PROJECT}/cloudservers/action", {"os-start": {"servers": [{"id": A}, {"id": B}]}}
PASSWORDS = ("PUT", f"/v1/{huawei.PROJECT}/cloudservers/os-reset-passwords",
             {"new_password": huawei.PASSWORD, "dry_run": False, "servers": [{"id": A}, {"id": B}]})


def ask(address, request, **headers):
    """(status, {header: value}, body) of one call with the vendor's Host."""
    method, path, document = request
    host, _, port = address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=20)
    try:
        sent = {"Host": huawei.HOST, "Content-Type": "application/json"} | {n.replace("_", "-"): v for n, v in headers.items()}
        connection.request(method, path, json.dumps(document), sent)
        response = connection.getresponse()
        names = [n.lower() for n, _ in response.getheaders()]
        assert len(set(names) - {"vary", "set-cookie"}) == len([n for n in names if n not in ("vary", "set-cookie")]), f"a header stands twice: {names}"
        return response.status, {n.lower(): v for n, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def envelope_of(answer):
    """The body, once it is what the schema and the headers beside it say."""
    status, headers, body = answer
    assert headers["content-type"] == "application/json", headers["content-type"]
    assert headers["content-length"] == str(len(body))
    envelope = json.loads(body)
    jsonschema.Draft202012Validator(SCHEMA).validate(envelope)
    assert headers["onevelope-outcome"] == envelope["outcome"]
    assert headers["onevelope-request-id"] == envelope["id"]
    counted = {name: envelope["summary"][name] for name in ("total", "succeeded", "accepted", "failed", "not_attempted", "unknown")}
    assert items(headers["onevelope-items"]) == counted
    assert counted["total"] == sum(counted.values()) - counted["total"] == len([r for r in envelope["results"] if "occurrence" not in r])
    for result in envelope["results"]:
        assert ("error" in result) == (result["outcome"] not in ("succeeded", "accepted")), result
    assert huawei.PASSWORD not in body.decode()
    return envelope


def throttled(status=429):
    reply = huawei.CASES["start throttled"][1]
    return Reply(status, reply.body, (*reply.headers, RETRY))


# vendor's reply, verdict, status of the answer (docs/envelope.md, sections 4 to 6), Retry-After of the answer
STATUSES = {
    "succeeded is 200": (PASSWORDS, huawei.DONE, Verdict("succeeded", succeeded=2), 200, None),
    "accepted is 202": (START, huawei.TAKEN, Verdict("accepted", accepted=2), 202, None),
    "partial is 207": (PASSWORDS, huawei.CASES["one password failed, 400"][1], Verdict("partial", succeeded=1, failed=1), 207, None),
    # Under a status that the page does not name, the failure list proves nothing about the other; and the vendor's
    # invitation to repeat must not reach a caller whose batch may be half done.
    "partial is 207 without Retry-After": (
        PASSWORDS, Reply(429, huawei.CASES["one password failed, 400"][1].body, (*huawei.JSON, RETRY)), Verdict("partial", failed=1, unknown=1), 207, None),
    "one shared category is its status": (PASSWORDS, huawei.CASES["passwords, wrong signature"][1], Verdict("failed", failed=2), 401, None),
    "all throttled is 429 with the vendor's Retry-After": (START, throttled(), Verdict("failed", failed=2), 429, "7"),
    "different categories are 422": (
        PASSWORDS, huawei.reply(400, huawei.failures((A, "Ecs.0613"), (B, "Ecs.0614"))), Verdict("failed", failed=2), 422, None),
    "both unknown to the vendor is 404": (
        PASSWORDS, huawei.reply(400, huawei.failures((A, "Ecs.0614"), (B, "Ecs.0614"))), Verdict("failed", failed=2), 404, None),
    # It may have happened: no invitation to repeat here either.
    "unknown is 502": (START, Reply(502, b"<html>", (("Content-Type", "text/html"), RETRY)), Verdict("unknown", unknown=2), 502, None),
    "cut short is unknown": (PASSWORDS, Reply(200, b'{"response": [{"id": "616f', huawei.JSON), Verdict("unknown", unknown=2), 502, None),
}


@pytest.mark.parametrize("case", STATUSES)
def test_the_status_line_follows_the_verdicts(case, vendor, gateway):
    request, vendor.reply, verdict, status, retry_after = STATUSES[case]
    before = gateway.metrics()
    answer = ask(gateway.address("envelope"), request)
    vendor.take()
    envelope = envelope_of(answer)
    assert (answer[0], envelope["outcome"], items(answer[1]["onevelope-items"])) == (status, verdict.outcome, verdict.items)
    assert answer[1].get("retry-after") == retry_after
    assert [r["id"] for r in envelope["results"]] == [A, B]
    assert envelope["upstream"]["status"] == vendor.reply.status == int(answer[1]["onevelope-upstream-status"])
    the_metrics_moved(gateway.moved(before), verdict, "huawei")


def test_a_partial_failure_names_who_failed_and_why(vendor, gateway):
    request, vendor.reply, *_ = STATUSES["partial is 207"]
    envelope = envelope_of(ask(gateway.address("envelope"), request))
    first, second = envelope["results"]
    assert (first["outcome"], first["evidence"]) == ("succeeded", "inferred")
    assert (second["outcome"], second["evidence"]) == ("failed", "reported")
    assert second["error"]["vendor_code"] == "Ecs.0614" and second["error"]["category"] == "not_found"
    assert second["error"]["message"] == "Ecs.0614 happened" and second["error"]["origin"] == "vendor"
    assert envelope["error"]["vendor_code"] == "Ecs.0611"
    assert envelope["operation"]["vendor"] == "huawei" and envelope["operation"]["service"] == "ecs"
    # `raw` is on_failure by default: the vendor's JSON as it was.
    assert envelope["raw"]["encoding"] == "json" and envelope["raw"]["body"] == json.loads(vendor.reply.body)


def test_one_job_for_the_batch_is_a_task_that_can_be_polled(vendor, gateway):
    request, vendor.reply, *_ = STATUSES["accepted is 202"]
    _, headers, _ = answer = ask(gateway.address("envelope"), request)
    envelope = envelope_of(answer)
    tasks = [envelope.get("task")] + [r.get("task") for r in envelope["results"]]
    assert {t["id"] for t in tasks if t} == {huawei.JOB}
    assert 'rel="monitor"' in headers["link"] and huawei.JOB in headers["link"]


def test_an_error_under_200_is_no_success(vendor, gateway):
    vendor.reply = tencent.error("InvalidInstanceId.NotFound")
    status, headers, body = ask(gateway.address("envelope"), ("POST", "/", tencent.BOTH), Host="cvm.tencentcloudapi.com",
                                X_TC_Action="TerminateInstances", X_TC_Version="2017-03-12", X_TC_Region=tencent.REGION)
    envelope = envelope_of((status, headers, body))
    assert (status, envelope["outcome"]) == (404, "failed")
    assert {(r["id"], r["evidence"], r["error"]["vendor_code"]) for r in envelope["results"]} == {
        (i, "batch", "InvalidInstanceId.NotFound") for i in tencent.BOTH["InstanceIds"]}
    assert envelope["operation"]["action"] == "TerminateInstances" and envelope["operation"]["region"] == tencent.REGION


def test_strict_handling_forbids_inference(vendor, gateway):
    request, vendor.reply, *_ = STATUSES["partial is 207"]
    _, headers, _ = answer = ask(gateway.address("envelope"), request, Prefer="handling=strict")
    envelope = envelope_of(answer)
    assert [r["outcome"] for r in envelope["results"]] == ["unknown", "failed"]
    assert "handling=strict" in headers["preference-applied"]
    assert vendor.take().header("prefer") is None, "our Prefer went to the vendor"


def test_a_client_may_ask_for_the_envelope_where_the_route_observes(vendor, gateway):
    request, vendor.reply, *_ = STATUSES["partial is 207"]
    answer = ask(gateway.address("huawei"), request, Onevelope_Mode="envelope")
    assert answer[0] == 207 and envelope_of(answer)["outcome"] == "partial"
    assert vendor.take().header("onevelope-mode") is None


def test_passthrough_does_not_look(vendor, gateway):
    request, vendor.reply, *_ = STATUSES["partial is 207"]
    status, headers, body = ask(gateway.address("envelope"), request, Onevelope_Mode="passthrough")
    assert (status, body) == (400, vendor.reply.body)
    assert "onevelope-outcome" not in headers and "onevelope-items" not in headers


def test_a_call_that_no_profile_knows_passes_byte_for_byte(vendor, gateway):
    vendor.reply = Reply(200, b'{ "servers" : [ ] }', huawei.JSON)
    status, headers, body = ask(gateway.address("envelope"), ("GET", f"/v1/{huawei.PROJECT}/cloudservers/detail?limit=1", None))
    assert (status, body, headers["content-type"]) == (200, vendor.reply.body, "application/json;charset=UTF-8")
    assert "onevelope-outcome" not in headers
    assert vendor.take().path == f"/v1/{huawei.PROJECT}/cloudservers/detail?limit=1"


def test_silence_is_unknown_and_a_time_out(vendor, gateway):
    before = gateway.metrics()
    with vendor.stall():
        status, headers, _ = answer = ask(gateway.address("slow"), START)
    envelope = envelope_of(answer)
    vendor.take()  # a second attempt could start machines twice
    assert (status, envelope["outcome"]) == (504, "unknown")
    assert {(r["error"]["category"], r["error"]["advice"]) for r in envelope["results"]} == {("timeout", "reconcile")}
    assert "retry-after" not in headers
    the_metrics_moved(gateway.moved(before), Verdict("unknown", unknown=2), "huawei")


def test_a_refused_connection_is_a_failure_known_first_hand(vendor, gateway):
    status, _, _ = answer = ask(gateway.address("closed"), START)
    envelope = envelope_of(answer)
    assert (status, envelope["outcome"]) == (502, "failed")
    assert {(r["evidence"], r["error"]["category"], r["error"]["advice"]) for r in envelope["results"]} == {("gateway", "unreachable", "retry")}
    assert not vendor.asked


@pytest.mark.parametrize("listener", ["huawei", "envelope"])
def test_a_reply_too_large_to_read_passes_and_its_items_are_unknown(listener, vendor, gateway):
    before = gateway.metrics()
    vendor.reply = Reply(200, json.dumps({"response": [{"id": A}], "padding": "x" * 300_000}).encode(), huawei.JSON)
    _, headers, body = ask(gateway.address(listener), PASSWORDS)
    assert body == vendor.reply.body
    assert headers["onevelope-outcome"] == "unknown"
    assert items(headers["onevelope-items"]) == Verdict("unknown", unknown=2).items
    the_metrics_moved(gateway.moved(before), Verdict("unknown", unknown=2), "huawei")


def test_a_connection_lost_without_an_answer_is_unknown_and_nothing_is_sent_twice(vendor, gateway):
    """On a connection that was used before: there a client is tempted to believe that it was merely stale."""
    vendor.reply = huawei.TAKEN
    ask(gateway.address("envelope"), START)
    vendor.take()
    before, vendor.reply = gateway.metrics(), None
    status, headers, _ = answer = ask(gateway.address("envelope"), START)
    vendor.take()
    envelope = envelope_of(answer)
    assert (status, envelope["outcome"]) in ((502, "unknown"), (504, "unknown"))
    assert {r["error"]["advice"] for r in envelope["results"]} == {"reconcile"} and "retry-after" not in headers
    the_metrics_moved(gateway.moved(before), Verdict("unknown", unknown=2), "huawei")


def test_a_caller_who_hangs_up_is_counted_all_the_same(vendor, gateway):
    """The batch went to the vendor; whether the gateway still hears the reply or not, both machines have a verdict."""
    before, vendor.reply = gateway.metrics(), huawei.TAKEN
    host, _, port = gateway.address("envelope").partition(":")
    with vendor.stall():
        connection = http.client.HTTPConnection(host, int(port), timeout=10)
        connection.request(START[0], START[1], json.dumps(START[2]), {"Host": huawei.HOST, "Content-Type": "application/json"})
        until = time.monotonic() + 10
        while not vendor.asked and time.monotonic() < until:
            time.sleep(0.01)
        connection.close()
    vendor.take()
    rows = [(dict(labels), n) for labels, n in gateway.moved(before).items()]
    assert sum(n for _, n in rows) == 2 and {r["outcome"] for r, _ in rows} <= {"accepted", "unknown"}, rows


@pytest.mark.parametrize("target, method", [("ecs.cn-north-4.myhuaweicloud.com:443", "CONNECT"), ("http://example.com/", "GET")])
def test_the_proxy_is_not_open(target, method, vendor, gateway):
    """Only hosts that a route names: neither tunnels nor strangers."""
    host, _, port = gateway.address("proxy").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        connection.request(method, target, headers={"Host": target.removeprefix("http://").strip("/")})
        response = connection.getresponse()
        assert 400 <= response.status < 500 and response.read(), f"{response.status} without a word why"
    finally:
        connection.close()
    assert not vendor.asked
