"""boto3 against moto."""

import json

import pytest
import requests
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from aws import signed
from calls import nothing_was_changed, through, told
from cases import CASES
from wire import HOP_BY_HOP


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_sdk_sees_no_difference(case, aws, gateway):
    parameters, _ = case.prepare(aws)
    direct = result(aws.client(case.service), case.method, parameters)
    aws.reset()
    parameters, items = case.prepare(aws)
    client = aws.client(case.service, gateway.before["aws"].address)
    with gateway.counting() as moved:
        observed, seen = through(gateway, "aws", lambda: result(client, case.method, parameters))
    assert observed == direct
    nothing_was_changed(seen)
    expected = case.expected(items)
    expected.told_in_headers(told(seen.got), upstream_status=seen.replied.start[0])
    expected.told_in_metrics(moved, "observe", seen.replied.start[0])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_envelope_has_one_verdict_for_each_item(case, aws, gateway):
    parameters, items = case.prepare(aws)
    method, url, headers, body = signed(aws.client(case.service, gateway.address["aws-envelope"]), case.method, parameters)
    gateway.behind["aws"].forget()
    with gateway.counting() as moved:
        answer = requests.request(method, url, headers=headers, data=body, timeout=20)
    _, replied = gateway.behind["aws"].exchange()
    expected = case.expected(items)
    expected.told_in(answer, replied)
    assert answer.status_code == case.status
    assert answer.headers["content-type"] == "application/json"
    expected.told_in_headers(answer.headers, upstream_status=replied.start[0])
    expected.told_in_metrics(moved, "envelope", case.status)


def result(client, method, parameters):
    """What the program sees: the result or the error, without what no two calls have in common."""
    try:
        seen = getattr(client, method)(**parameters)
    except ClientError as error:
        seen = error.response
    except ResponseParserError as error:
        return str(error)
    metadata = seen["ResponseMetadata"]
    ours = {name for name in metadata["HTTPHeaders"] if name.startswith("onevelope-")}
    # A moment in a body may have more digits than another, so the length goes with the date. `nothing_was_changed` sees to the bytes.
    headers = {n: v for n, v in metadata["HTTPHeaders"].items() if n not in ours | HOP_BY_HOP | {"date", "content-length"}}
    seen = seen | {"ResponseMetadata": metadata | {"HTTPHeaders": headers}}
    return json.loads(json.dumps(seen, default=lambda moment: "a moment"))
