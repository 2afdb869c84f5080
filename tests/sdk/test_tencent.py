"""tencentcloud-sdk-python (API 3.0) against the fake vendor, straight and through the gateway in `observe` mode.

The SDK's `proxy` setting with `protocol="http"` sends absolute-form requests that name the vendor's host: the signature stays
valid. Three signing schemes, GET and POST: a batch's ids stand in the JSON body, in a form or in the query, the action in a header or beside them.
"""

import json

import pytest
from tencentcloud.clb.v20180317 import clb_client, models as clb
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.cvm.v20170312 import cvm_client, models as cvm

import signatures
from calls import Verdict, make, the_program_saw_no_difference, the_vendor_got_what_was_sent, the_verdict_was_told
from wire import Reply

SECRET_ID, SECRET_KEY = "AKIDEXAMPLE00000000000000000000TEST", "EXAMPLEKEY000000000000000000TEST"
REGION = "ap-guangzhou"
REQUEST_ID = "9a2f76a2-3b5b-4760-a90b-eff0c611b360"
BOTH = {"InstanceIds": ["ins-r8hr2upy", "ins-5d8a23rs"]}
TARGETS = {"LoadBalancerId": "lb-6efswuxa", "Targets": [
    {"ListenerId": "lbl-a", "Port": 80, "InstanceId": "ins-r8hr2upy"}, {"ListenerId": "lbl-b", "Port": 80, "InstanceId": "ins-5d8a23rs"}]}

# === the calls: service, action, parameters ===

START = "cvm", "StartInstances", BOTH
STOP = "cvm", "StopInstances", BOTH
REBOOT = "cvm", "RebootInstances", BOTH
TERMINATE = "cvm", "TerminateInstances", BOTH
PASSWORD = "cvm", "ResetInstancesPassword", BOTH | {"Password": "Example-Passw0rd!"}
DELETE = "clb", "DeleteLoadBalancer", {"LoadBalancerIds": ["lb-1", "lb-2"]}
REGISTER = "clb", "BatchRegisterTargets", TARGETS

# === what the vendor replies: always HTTP 200, and the body decides ===


def reply(**members):
    return Reply(200, json.dumps({"Response": members | {"RequestId": REQUEST_ID}}, ensure_ascii=False).encode(),
                 (("Content-Type", "application/json"), ("Server", "nginx")))


def error(code, message="refused"):
    return reply(Error={"Code": code, "Message": message})


TAKEN = reply()

CASES = {
    "start taken": (START, TAKEN, Verdict("accepted", accepted=2)),
    "start, wrong signature": (START, error("AuthFailure.SignatureFailure", "The provided credentials could not be validated."),
                               Verdict("failed", failed=2)),
    "stop taken": (STOP, TAKEN, Verdict("accepted", accepted=2)),
    # The vendor's own fault, and nobody knows how far it had got.
    "stop met an internal error": (STOP, error("InternalServerError"), Verdict("unknown", unknown=2)),
    "reboot throttled": (REBOOT, error("RequestLimitExceeded", "exceeds the frequency limit `10` for a second."), Verdict("failed", failed=2)),
    "terminate taken": (TERMINATE, TAKEN, Verdict("accepted", accepted=2)),
    "terminate, one id unknown": (TERMINATE, error("InvalidInstanceId.NotFound", "指定的实例 `ins-5d8a23rs` 不存在"), Verdict("failed", failed=2)),
    "passwords taken": (PASSWORD, TAKEN, Verdict("accepted", accepted=2)),
    "passwords refused": (PASSWORD, error("UnsupportedOperation.InstanceStateRunning"), Verdict("failed", failed=2)),
    "balancers taken": (DELETE, TAKEN, Verdict("accepted", accepted=2)),
    "balancer in use": (DELETE, error("ResourceInUse"), Verdict("failed", failed=2)),
    "targets registered": (REGISTER, reply(FailListenerIdSet=[], Message=""), Verdict("succeeded", succeeded=2)),
    "targets registered, null list": (REGISTER, reply(FailListenerIdSet=None, Message=None), Verdict("succeeded", succeeded=2)),
    "one listener failed": (REGISTER, reply(FailListenerIdSet=["lbl-b"], Message="IP 10.0.0.9 not found."), Verdict("partial", succeeded=1, failed=1)),
    "both listeners failed": (REGISTER, reply(FailListenerIdSet=["lbl-a", "lbl-b"], Message="no"), Verdict("failed", failed=2)),
    # The SDK raises on any status but 200 and keeps nothing of the body.
    "front end down": (STOP, Reply(502, b"<html/>", (("Content-Type", "text/html"),)), Verdict("unknown", unknown=2)),
}

# name: (HTTP method, signing method, unsigned payload, how to check the signature)
STYLES = {
    "TC3 POST": ("POST", "TC3-HMAC-SHA256", False, signatures.tencent_v3),
    "TC3 GET": ("GET", "TC3-HMAC-SHA256", False, signatures.tencent_v3),
    "TC3 POST, payload not signed": ("POST", "TC3-HMAC-SHA256", True, signatures.tencent_v3),
    "HmacSHA1 GET": ("GET", "HmacSHA1", False, signatures.tencent_v1),
    "HmacSHA256 POST": ("POST", "HmacSHA256", False, signatures.tencent_v1),
}


def call(what, proxy, style="TC3 POST", apigw=None):
    """What the program that uses the SDK sees."""
    service, action, parameters = what
    method, signing, unsigned, _ = STYLES[style]
    http = HttpProfile(protocol="http", reqMethod=method, proxy=proxy and f"http://{proxy}", reqTimeout=30)
    http.apigw_endpoint = apigw
    profile = ClientProfile(signMethod=signing, httpProfile=http)
    profile.unsignedPayload = unsigned
    client, models = (cvm_client.CvmClient, cvm) if service == "cvm" else (clb_client.ClbClient, clb)
    request = getattr(models, f"{action}Request")()
    request.from_json_string(json.dumps(parameters))
    try:
        response = getattr(client(Credential(SECRET_ID, SECRET_KEY), REGION, profile), action)(request)
        return "returned", type(response).__name__, response.to_json_string()
    except TencentCloudSDKException as e:
        return "raised", type(e).__name__, e.get_code(), str(e.get_message()), e.get_request_id()


def compare(case, style, vendor, gateway, tap):
    what, vendor.reply, verdict = CASES[case]
    verify = STYLES[style][3]
    direct = make(lambda: call(what, vendor.address, style), vendor, tap)
    before = gateway.metrics()
    through = make(lambda: call(what, gateway.address("proxy"), style), vendor, tap)

    the_program_saw_no_difference(direct, through)
    the_vendor_got_what_was_sent(through)
    assert through.sent.absolute and through.received.header("host") == f"{what[0]}.tencentcloudapi.com"
    assert verify(direct.received, SECRET_KEY), "the test's own verification is wrong"
    assert verify(through.received, SECRET_KEY), "the vendor would refuse the signature"
    moved = gateway.moved(before)
    the_verdict_was_told(through, verdict, moved, "tencent", vendor.reply.status)
    assert {(dict(row)["service"], dict(row)["action"]) for row in moved} == {what[:2]}


@pytest.mark.parametrize("case", CASES)
def test_the_sdk_cannot_tell_the_gateway_from_the_vendor(case, vendor, gateway, tap):
    compare(case, "TC3 POST", vendor, gateway, tap)


@pytest.mark.parametrize("style", [s for s in STYLES if s != "TC3 POST"])
@pytest.mark.parametrize("case", ["terminate taken", "terminate, one id unknown", "passwords taken", "one listener failed"])
def test_every_way_to_sign_and_send_is_understood(case, style, vendor, gateway, tap):
    compare(case, style, vendor, gateway, tap)


def test_an_error_under_200_raises_with_its_own_code(vendor, gateway, tap):
    """The SDK looks for an error only under an unchanged Content-Type; a charset added on the way would turn this into a success."""
    what, vendor.reply, _ = CASES["terminate, one id unknown"]
    through = make(lambda: call(what, gateway.address("proxy")), vendor, tap)
    assert through.result == ("raised", "TencentCloudSDKException", "InvalidInstanceId.NotFound", "指定的实例 `ins-5d8a23rs` 不存在", REQUEST_ID)


def test_a_gateway_endpoint_of_the_sdks_own_reaches_the_upstream(vendor, gateway, tap):
    """`apigw_endpoint` signs for the vendor and sends our address as Host: the upstream's name takes its place."""
    _, vendor.reply, verdict = CASES["terminate taken"]
    before = gateway.metrics()
    through = make(lambda: call(TERMINATE, None, apigw=gateway.address("tencent")), vendor, tap)
    assert through.result[:2] == ("returned", "TerminateInstancesResponse")
    assert through.sent.header("host") == gateway.address("tencent")
    the_vendor_got_what_was_sent(through, host=vendor.address)
    the_verdict_was_told(through, verdict, gateway.moved(before), "tencent", 200)
