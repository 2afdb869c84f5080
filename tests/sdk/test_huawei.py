"""huaweicloudsdkecs against the fake vendor, straight and through the gateway in `observe` mode.

Two ways to the gateway keep the SDK's signature valid, and each call takes both:
* proxy: endpoint `http://<vendor host>` and the environment's http_proxy, so an absolute-form request;
* host: endpoint `http://<gateway>` with the vendor's name set as Host header.
"""

import gzip
import json

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkecs.v2 import (
    BatchAddServerGroupMemberReq, BatchAddServerGroupMemberRequest, BatchAddServerTag, BatchCreateServerTagsRequest,
    BatchCreateServerTagsRequestBody, BatchDeleteServerGroupMemberReq,
    BatchDeleteServerGroupMemberRequest, BatchRebootServersRequest, BatchRebootServersRequestBody, BatchRebootSeversOption,
    BatchResetServersPasswordRequest, BatchResetServersPasswordRequestBody, BatchStartServersOption, BatchStartServersRequest,
    BatchStartServersRequestBody, BatchStopServersOption, BatchStopServersRequest, BatchStopServersRequestBody,
    BatchUpdateServersNameRequest, BatchUpdateServersNameRequestBody, DeleteServersRequest, DeleteServersRequestBody, EcsClient,
    ServerId, ShowJobRequest)

import signatures
from calls import Verdict, make, the_program_saw_no_difference, the_vendor_got_what_was_sent, the_verdict_was_told
from wire import Reply

HOST = "ecs.cn-north-4.myhuaweicloud.com"
ACCESS_KEY, SECRET_KEY = "AKEXAMPLE0000000TEST", "SKexample0000000000000000000000000000TEST"
PROJECT = "0605768a9f00d5762fe5c00ed1234567"
A, B = "616fb98f-46ca-475e-917e-2563e5a8cd19", "516fb98f-46ca-475e-917e-2563e5a8cd12"
JOB = "ff808082889bd9690189061140c235fe"
GROUP = "8d4a7d4c-7b4a-4a34-8b2b-111111111111"
PASSWORD = "Example-Passw0rd!"

# === the calls: method of the client, request ===

BOTH = [ServerId(id=A), ServerId(id=B)]
START = "batch_start_servers", BatchStartServersRequest(body=BatchStartServersRequestBody(os_start=BatchStartServersOption(servers=BOTH)))
STOP = "batch_stop_servers", BatchStopServersRequest(body=BatchStopServersRequestBody(os_stop=BatchStopServersOption(servers=BOTH, type="SOFT")))
REBOOT = "batch_reboot_servers", BatchRebootServersRequest(body=BatchRebootServersRequestBody(reboot=BatchRebootSeversOption(servers=BOTH, type="SOFT")))
DELETE = "delete_servers", DeleteServersRequest(body=DeleteServersRequestBody(servers=BOTH, delete_publicip=False, delete_volume=False))
PASSWORDS = "batch_reset_servers_password", BatchResetServersPasswordRequest(
    body=BatchResetServersPasswordRequestBody(servers=BOTH, new_password=PASSWORD))
# Not ASCII: a body that was parsed and written again would come out with other bytes.
NAMES = "batch_update_servers_name", BatchUpdateServersNameRequest(body=BatchUpdateServersNameRequestBody(name="web-节点", servers=BOTH))
SHOW = "show_job", ShowJobRequest(job_id=JOB)
JOIN = "batch_add_server_group_member", BatchAddServerGroupMemberRequest(
    server_group_id=GROUP, body=BatchAddServerGroupMemberReq(server_ids=[A, B]))
LEAVE = "batch_delete_server_group_member", BatchDeleteServerGroupMemberRequest(
    server_group_id=GROUP, body=BatchDeleteServerGroupMemberReq(server_ids=[A, B]))
TAGS = "batch_create_server_tags", BatchCreateServerTagsRequest(
    server_id=A, body=BatchCreateServerTagsRequestBody(action="create", tags=[BatchAddServerTag(key="a", value="1"), BatchAddServerTag(key="b", value="2")]))

# === what the vendor replies ===

JSON = (("Content-Type", "application/json;charset=UTF-8"), ("Server", "api-gateway"), ("X-Request-Id", "26a49d0614b6457b8ab469a4228e73cd"))


def reply(status, document, headers=JSON):
    return Reply(status, document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode(), headers)


def refused(code, message="refused", **more):
    return {"error": {"message": message, "code": code, **more}}


def failures(*entries, code="Ecs.0611"):
    """The failure list of a batch: whoever is not in it was done."""
    return refused(code, "Batch operation failed.") | {
        "internalError": [{"id": i, "error_code": c, "error_message": f"{c} happened"} for i, c in entries]}


def sub_job(number, status, server, code=None, reason=None):
    return {"status": status, "entities": {"server_id": server}, "job_id": f"j{number}", "job_type": "startSingleServer",
            "begin_time": "2024-06-11T08:00:01.100Z", "end_time": "2024-06-11T08:00:09.500Z", "error_code": code, "fail_reason": reason}


def job(status, subs, **more):
    return {"status": status, "entities": {"sub_jobs_total": len(subs), "sub_jobs": subs}, "job_id": JOB, "job_type": "batchStartServer",
            "begin_time": "2024-06-11T08:00:00.000Z", "end_time": "2024-06-11T08:00:10.000Z", "error_code": None, "fail_reason": None} | more


def members(first, second, status="failed"):
    return {"status": status, "servers": [
        {"status": word, "server_id": server, "fail_reason": None if word == "success" else "the ECS state is not STOPPED"}
        for server, word in ((A, first), (B, second))]}


TAKEN = reply(200, {"job_id": JOB})
DONE = reply(200, {"response": [{"id": A}, {"id": B}]})

CASES = {
    "start taken": (START, TAKEN, Verdict("accepted", accepted=2)),
    "start taken, 202": (START, reply(202, {"job_id": JOB}), Verdict("accepted", accepted=2)),
    "start refused": (START, reply(400, refused("Ecs.0005", "request body is illegal.")), Verdict("failed", failed=2)),
    "start throttled": (START, reply(429, {"error_msg": "The throttling threshold has been reached", "error_code": "APIGW.0308",
                                           "request_id": "0a1b2c"}), Verdict("failed", failed=2)),
    # The vendor's list of codes gives Common.0024, flow control, the status 202: an error under a 2xx.
    "start throttled under 202": (START, reply(202, refused("Common.0024", "flow control")), Verdict("failed", failed=2)),
    "stop taken": (STOP, TAKEN, Verdict("accepted", accepted=2)),
    "stop met a broken front end": (STOP, reply(502, b"<html>bad gateway</html>", (("Content-Type", "text/html"),)), Verdict("unknown", unknown=2)),
    "reboot taken": (REBOOT, TAKEN, Verdict("accepted", accepted=2)),
    "reboot refused with details": (REBOOT, reply(403, refused("Ecs.0003", "no permission", details=[{"code": "Ecs.0067", "message": "balance"}])),
                                    Verdict("failed", failed=2)),
    "delete taken": (DELETE, TAKEN, Verdict("accepted", accepted=2)),
    "passwords set": (PASSWORDS, DONE, Verdict("succeeded", succeeded=2)),
    "one password failed, 400": (PASSWORDS, reply(400, failures((B, "Ecs.0614"))), Verdict("partial", succeeded=1, failed=1)),
    # Here the SDK hands its caller an empty success, with or without a gateway: the verdict is in the headers alone.
    "one password failed, 200": (PASSWORDS, reply(200, failures((B, "Ecs.0614"))), Verdict("partial", succeeded=1, failed=1)),
    "both passwords failed": (PASSWORDS, reply(400, failures((A, "Ecs.0613"), (B, "Ecs.0614"))), Verdict("failed", failed=2)),
    "passwords, wrong signature": (PASSWORDS, reply(401, {"error_msg": "Incorrect IAM authentication information: verify aksk signature fail",
                                                          "error_code": "APIGW.0301", "request_id": "fc93"}), Verdict("failed", failed=2)),
    "names set": (NAMES, DONE, Verdict("succeeded", succeeded=2)),
    "names set, gzip": (NAMES, Reply(200, gzip.compress(DONE.body, mtime=0), (*JSON, ("Content-Encoding", "gzip"))), Verdict("succeeded", succeeded=2)),
    "names set, in chunks": (NAMES, Reply(200, DONE.body, JSON, chunked=True), Verdict("succeeded", succeeded=2)),
    "names set, with a byte order mark": (NAMES, Reply(200, b"\xef\xbb\xbf" + DONE.body, JSON), Verdict("succeeded", succeeded=2)),
    "one name refused": (NAMES, reply(400, failures((A, "ECS.0616"))), Verdict("partial", succeeded=1, failed=1)),
    # No body is what the vendor's page promises: every tag is set.
    "tags set": (TAGS, Reply(204, b"", (("X-Request-Id", "26a4"),)), Verdict("succeeded", succeeded=2)),
    "members joined": (JOIN, reply(200, members("success", "success", "success")), Verdict("succeeded", succeeded=2)),
    "one member refused": (JOIN, reply(200, members("success", "failed")), Verdict("partial", succeeded=1, failed=1)),
    "members left": (LEAVE, reply(200, members("success", "success", "success")), Verdict("succeeded", succeeded=2)),
    "job runs": (SHOW, reply(200, job("RUNNING", [sub_job(1, "SUCCESS", A), sub_job(2, "RUNNING", B)], end_time="")),
                 Verdict("accepted", succeeded=1, accepted=1)),
    "job done": (SHOW, reply(200, job("SUCCESS", [sub_job(1, "SUCCESS", A), sub_job(2, "SUCCESS", B)])), Verdict("succeeded", succeeded=2)),
    # HTTP 200 and no exception: the look-up succeeded, the job did not.
    "job partly failed": (SHOW, reply(200, job("FAIL", [sub_job(1, "SUCCESS", A), sub_job(2, "FAIL", B, "Ecs.0226", "Failed to start.")],
                                               error_code="Common.0021", fail_reason="Sub job fail!")), Verdict("partial", succeeded=1, failed=1)),
}


def client(endpoint):
    return (EcsClient.new_builder().with_credentials(BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT))
            .with_http_config(HttpConfig(timeout=(5, 30))).with_endpoint(endpoint).build())


def call(endpoint, what, host=None):
    """What the program that uses the SDK sees."""
    method, request = what
    invoker = getattr(client(endpoint), f"{method}_invoker")(request)
    if host:
        invoker = invoker.add_header("Host", host)
    try:
        response = invoker.invoke()
        return "returned", type(response).__name__, response.status_code, str(response)
    except ServiceResponseException as e:
        return "raised", type(e).__name__, e.status_code, e.error_code, e.error_msg, e.request_id


@pytest.fixture
def by(monkeypatch, vendor, gateway):
    """by("proxy" | "host", through) -> a function that makes the call, straight (through=False) or through the gateway."""

    def way(name, through):
        if name == "proxy":
            def run(what):
                monkeypatch.setenv("http_proxy", f"http://{gateway.address('proxy') if through else vendor.address}")
                return call(f"http://{HOST}", what)
        else:
            def run(what):
                monkeypatch.delenv("http_proxy", raising=False)
                return call(f"http://{gateway.address('huawei') if through else vendor.address}", what, HOST)
        return run

    return way


@pytest.mark.parametrize("way", ["proxy", "host"])
@pytest.mark.parametrize("case", CASES)
def test_the_sdk_cannot_tell_the_gateway_from_the_vendor(case, way, by, vendor, gateway, tap):
    what, vendor.reply, verdict = CASES[case]
    direct = make(lambda: by(way, through=False)(what), vendor, tap)
    before = gateway.metrics()
    through = make(lambda: by(way, through=True)(what), vendor, tap)

    the_program_saw_no_difference(direct, through)
    the_vendor_got_what_was_sent(through)
    assert through.sent.absolute == (way == "proxy")
    assert through.received.header("host") == HOST
    assert (through.received.method, through.received.path, through.received.body) == (direct.received.method, direct.received.path, direct.received.body)
    assert signatures.huawei(direct.received, SECRET_KEY), "the test's own verification is wrong"
    assert signatures.huawei(through.received, SECRET_KEY), "the vendor would refuse the signature"
    the_verdict_was_told(through, verdict, gateway.moved(before), "huawei", vendor.reply.status)


def test_a_partial_failure_is_invisible_to_the_sdk_and_visible_in_the_headers(by, vendor, gateway, tap):
    what, vendor.reply, _ = CASES["one password failed, 200"]
    through = make(lambda: by("proxy", through=True)(what), vendor, tap)
    assert through.result == ("returned", "BatchResetServersPasswordResponse", 200, "{}")
    assert through.headers["onevelope-outcome"] == "partial"


def test_a_host_that_no_route_names_becomes_the_upstreams(vendor, gateway, tap):
    """The endpoint is the gateway's port and Host names it: the vendor must not see our name, and a re-signing is up to the operator."""
    _, vendor.reply, verdict = CASES["start taken"]
    before = gateway.metrics()
    through = make(lambda: call(f"http://{gateway.address('huawei')}", START), vendor, tap)
    assert through.sent.header("host") == gateway.address("huawei")
    the_vendor_got_what_was_sent(through, host=vendor.address)
    assert not signatures.huawei(through.received, SECRET_KEY), "Host is signed; this cannot be valid"
    the_verdict_was_told(through, verdict, gateway.moved(before), "huawei", 200)


def test_the_password_of_a_batch_is_nowhere_but_at_the_vendor(by, vendor, gateway, tap):
    what, vendor.reply, _ = CASES["one password failed, 400"]
    through = make(lambda: by("proxy", through=True)(what), vendor, tap)
    assert PASSWORD.encode() in through.received.body
    signature = through.received.header("authorization").rpartition("=")[2]
    pages = {path: gateway.admin(path) for path in ("/metrics", "/metrics/resources", "/api/failures", "/api/config")}
    assert {path: status for path, (status, _) in pages.items()} == dict.fromkeys(pages, 200)
    shown = {path: text for path, (_, text) in pages.items()}
    shown["log"] = gateway.log.read_text(errors="replace")
    for secret in (PASSWORD, signature, SECRET_KEY):
        assert not [where for where, text in shown.items() if secret in text], f"{secret} was shown"
