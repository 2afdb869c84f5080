"""The servers' own signature checks, which what the gateway forwards must pass or fail as it would without it."""

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from botocore.exceptions import ClientError

import aws
import storage as azure
from calls import nothing_was_changed, through, told
from verdicts import DONE, Expected, refused

ENTRIES = [{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2", "DelaySeconds": 4000}]
SENT = Expected("aws", "sqs", "SendMessageBatch", "partial", [("a", DONE), ("b", "failed reported invalid_argument InvalidParameterValue")])


@pytest.fixture
def url(aws):
    return aws.client("sqs").create_queue(QueueName="jobs")["QueueUrl"]


# === a proxy: the SDK names the server itself, and sends absolute-form requests to the gateway ===


def test_boto3_takes_the_gateway_for_its_proxy(aws, url, gateway):
    client = aws.client("sqs", proxies={"http": f"http://{gateway.before['aws'].address}"})
    with gateway.counting() as moved:
        reply, seen = through(gateway, "aws", lambda: client.send_message_batch(QueueUrl=url, Entries=ENTRIES))
    assert seen.sent.start[1].startswith(f"http://{aws.server}/")
    nothing_was_changed(seen)
    assert [(e["Id"], e["Code"]) for e in reply["Failed"]] == [("b", "InvalidParameterValue")]
    SENT.told_in_headers(told(seen.got), upstream_status=200)
    SENT.told_in_metrics(moved, "observe", 200)


@pytest.mark.parametrize("service", ["blob", "table"])
def test_azures_sdks_take_the_gateway_for_their_proxy(service, storage, gateway):
    storage.has_blobs("a"), storage.has_entities()
    proxies = {"http": f"http://{gateway.before[service].address}"}
    calls = {"blob": lambda: list(storage.container(proxies=proxies).delete_blobs("a")),
             "table": lambda: storage.table(proxies=proxies).submit_transaction([("create", azure.entity("a"))])}
    answers, seen = through(gateway, service, calls[service])
    assert len(answers) == 1
    assert seen.sent.start[1].startswith(f"http://{storage.server[service]}/")
    nothing_was_changed(seen)
    assert told(seen.got)["onevelope-outcome"] == "succeeded"


# === the wrong key ===


@pytest.mark.parametrize("service, code, status", [("s3", "SignatureDoesNotMatch", 403), ("ec2", "AuthFailure", 401)])
def test_moto_refuses_a_wrong_secret_through_the_gateway_too(service, code, status, aws, gateway):
    aws.client("s3").create_bucket(Bucket="lake")
    aws.key = aws.key[0], "wrong"
    client = aws.client(service, gateway.before["aws"].address)
    action, call = {
        "s3": ("DeleteObjects", lambda: client.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})),
        "ec2": ("StopInstances", lambda: client.stop_instances(InstanceIds=["a", "b"]))}[service]
    with gateway.counting() as moved:
        raised, seen = through(gateway, "aws", lambda: pytest.raises(ClientError, call))
    assert raised.value.response["Error"]["Code"] == code
    nothing_was_changed(seen)
    expected = Expected("aws", service, action, "failed", refused("unauthenticated", code, "a", "b"))
    expected.told_in_headers(told(seen.got), upstream_status=status)
    expected.told_in_metrics(moved, "observe", status)


def test_moto_refuses_a_body_that_is_not_the_signed_one(aws, url, gateway):
    method, address, headers, body = signed_for_envelope(aws, url, gateway)
    answer = requests.request(method, address, headers=headers, data=body.replace(b'"1"', b'"7"'), timeout=20)
    assert (answer.status_code, answer.json()["outcome"]) == (401, "failed")
    assert {result["error"]["vendor_code"] for result in answer.json()["results"]} == {"SignatureDoesNotMatch"}
    answer = requests.request(method, address, headers=headers, data=body, timeout=20)
    assert (answer.status_code, answer.json()["outcome"]) == (207, "partial")


@pytest.mark.parametrize("service", ["blob", "table"])
def test_azurite_refuses_a_wrong_key_through_the_gateway_too(service, storage, gateway):
    wrong = "d3Jvbmc="
    address = gateway.before[service].address
    operations = [("create", azure.entity(key)) for key in ("a", "b")]
    calls = {"blob": lambda: storage.container(address, key=wrong).delete_blobs("a", "b"),
             "table": lambda: storage.table(address, key=wrong).submit_transaction(operations)}
    raised, seen = through(gateway, service, lambda: pytest.raises(HttpResponseError, calls[service]))
    assert raised.value.status_code == 403
    nothing_was_changed(seen)
    assert told(seen.got)["onevelope-outcome"] == "failed"
    assert "total=2, succeeded=0, accepted=0, failed=2," in told(seen.got)["onevelope-items"]


def signed_for_envelope(account, url, gateway):
    client = account.client("sqs", gateway.address["aws-envelope"])
    return aws.signed(client, "send_message_batch", {"QueueUrl": url, "Entries": ENTRIES})
