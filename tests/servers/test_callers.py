"""What callers may ask of the gateway, and calls that are no batch."""

from urllib.parse import urlencode

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from aws import REGION, signed
from calls import nothing_was_changed, through, told
from cases.machines import instances
from cases.messages import queue
from cases.others import glue_table, image
from verdicts import DONE, TAKEN, Expected

TYPE = "application/vnd.onevelope.batch+json"


@pytest.fixture
def ask(aws, gateway):
    """A call as a plain client makes it: the SDK's signed request, with headers of its own that no signature covers."""
    def ask(service, method, parameters, **headers):
        verb, url, own, body = signed(aws.client(service, gateway.address["aws-envelope"]), method, parameters)
        return requests.request(verb, url, headers=own | {n.replace("_", "-"): v for n, v in headers.items()}, data=body, timeout=20)
    return ask


def test_without_inference_what_the_server_does_not_say_is_unknown(aws, ask):
    glue_table(aws)
    answer = ask("glue", "batch_delete_table", dict(DatabaseName="db", TablesToDelete=["t", "u"]), Prefer="handling=strict")
    assert answer.status_code == 207
    said = [(r["id"], r["outcome"], r["evidence"]) for r in answer.json()["results"]]
    assert said == [("t", "unknown", "none"), ("u", "failed", "reported")]
    assert answer.headers["Preference-Applied"] == "handling=strict"


def test_a_caller_can_have_only_what_went_wrong(aws, ask):
    url, receipt = queue(aws, "1")
    entries = [{"Id": "good", "ReceiptHandle": receipt}, {"Id": "bad", "ReceiptHandle": "none"}]
    answer = ask("sqs", "delete_message_batch", dict(QueueUrl=url, Entries=entries), Prefer="return=minimal", Accept=TYPE)
    envelope = answer.json()
    assert [(r["index"], r["key"]) for r in envelope["results"]] == [(1, "bad")]
    assert envelope["summary"]["total"] == 2
    assert answer.headers["Content-Type"] == TYPE
    assert answer.headers["Preference-Applied"] == "return=minimal"


def test_a_caller_can_switch_to_the_vendors_own_bytes(aws, ask, gateway):
    ids = instances(aws, 2)
    gateway.behind["aws"].forget()
    answer = ask("ec2", "stop_instances", dict(InstanceIds=ids), Onevelope_Mode="observe")
    asked, replied = gateway.behind["aws"].exchange()
    assert asked.get("onevelope-mode") is None
    assert (answer.status_code, answer.content) == (200, replied.body)
    Expected("aws", "ec2", "StopInstances", "accepted", [(id, TAKEN) for id in ids]).told_in_headers(answer.headers, upstream_status=200)
    gateway.behind["aws"].forget()
    answer = ask("ec2", "stop_instances", dict(InstanceIds=ids), Onevelope_Mode="passthrough")
    _, replied = gateway.behind["aws"].exchange()
    assert answer.content == replied.body
    assert not [name for name in answer.headers if name.lower().startswith("onevelope-")]


def test_a_dry_run_is_no_failure_of_the_instances(aws, ask, gateway):
    ids = instances(aws, 2)
    with gateway.counting() as moved:
        answer = ask("ec2", "terminate_instances", dict(InstanceIds=ids, DryRun=True))
    envelope = answer.json()
    assert envelope["operation"]["dry_run"] is True
    assert envelope["upstream"]["status"] == 412
    assert [r["id"] for r in envelope["results"]] == ids
    failed = [labels for labels, _ in moved.get("onevelope_resource_results_total", []) if labels["outcome"] == "failed"]
    assert not failed


def test_a_queue_speaks_the_older_protocol_too(aws, gateway):
    """Query and XML, as SDKs of before 2023 send it; none of today's does."""
    url, receipt = queue(aws, "1")
    form = {"Action": "DeleteMessageBatch", "Version": "2012-11-05", "QueueUrl": url}
    for number, (label, handle) in enumerate([("bad", "none"), ("good", receipt)], 1):
        form |= {f"DeleteMessageBatchRequestEntry.{number}.Id": label, f"DeleteMessageBatchRequestEntry.{number}.ReceiptHandle": handle}
    body = urlencode(form)
    request = AWSRequest("POST", f"http://{gateway.address['aws-envelope']}/", {"Content-Type": "application/x-www-form-urlencoded"}, body)
    SigV4Auth(Credentials(*aws.key), "sqs", REGION).add_auth(request)
    gateway.behind["aws"].forget()
    with gateway.counting() as moved:
        answer = requests.post(request.url, headers=dict(request.headers.items()), data=body, timeout=20)
    _, replied = gateway.behind["aws"].exchange()
    assert replied.body.lstrip().startswith(b"<")
    expected = Expected("aws", "sqs", "DeleteMessageBatch", "partial", [
        ("bad", "failed reported invalid_argument ReceiptHandleIsInvalid"), ("good", DONE)])
    expected.told_in(answer, replied)
    expected.told_in_metrics(moved, "envelope", 207)


@pytest.mark.parametrize("size", [0, 3, 3 << 20])
def test_an_object_goes_through_both_ways(size, aws, gateway):
    """No batch: whatever the mode, bytes pass and nothing is said about them but that they passed."""
    aws.client("s3").create_bucket(Bucket="lake")
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    s3 = aws.client("s3", gateway.before["aws"].address)
    with gateway.counting(calls=2) as moved:
        _, put = through(gateway, "aws", lambda: s3.put_object(Bucket="lake", Key="a b/\u00fc", Body=content))
        got, get = through(gateway, "aws", lambda: s3.get_object(Bucket="lake", Key="a b/\u00fc")["Body"].read())
    assert got == content
    for seen in put, get:
        nothing_was_changed(seen)
        assert not told(seen.got)
    assert [labels["outcome"] for labels, _ in moved["onevelope_requests_total"]] == ["passthrough"]
    assert "onevelope_resource_results_total" not in moved


def test_a_blob_goes_through_both_ways(storage, gateway):
    storage.has_blobs()
    content = bytes(range(256)) * 4096
    container = storage.container(gateway.before["blob"].address)
    _, put = through(gateway, "blob", lambda: container.upload_blob("x", content))
    got, get = through(gateway, "blob", lambda: container.download_blob("x").readall())
    assert got == content
    for seen in put, get:
        nothing_was_changed(seen)
        assert not told(seen.got)


def test_what_fails_again_and_again_has_a_row_of_its_own(aws, ask, gateway):
    image(aws)

    def rows(name):
        page = gateway.samples("/metrics/resources")
        return {dict(labels).get("resource"): value for (family, labels), value in page.items() if family == name}

    for _ in range(3):
        ask("ecr", "batch_delete_image", dict(repositoryName="web", imageIds=[{"imageTag": "gone-for-good"}]))
    # A new row stands at 0 for its first two scrapes, so that `increase` sees it grow.
    assert "gone-for-good" not in rows("onevelope_resource_failures_total")
    rows("onevelope_resource_failures_total")
    assert rows("onevelope_resource_failures_total")["gone-for-good"] == 3
    assert rows("onevelope_resource_last_failure_timestamp_seconds")["gone-for-good"] > 0
