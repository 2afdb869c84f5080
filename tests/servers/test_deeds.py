"""What moto and Azurite do when they get an oddly spelled call, and what onevelope says that they did.

Each target makes four things and writes the call that the SDK would make about three of them; the call is spelled otherwise
(`spellings/`) and sent through the gateway. What is gone or changed afterwards is what the server read. A value that a spelling adds
is the fourth thing. READINGS as in test_readings.py.
"""

import json
import os
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit

import pytest
from azure.storage.blob import generate_container_sas

import parsers
from aws import ANYONE, signed
from cases.data import row, table
from cases.machines import instances
from cases.others import MANIFEST, glue_table
from readers import Sender, of_envelope
from spellings import Request, spelled
from storage import ACCOUNT, KEY
from storage import signed as signed_blobs

SEED, TIMES = map(int, os.environ.get("READINGS", "1:1").split(":"))
SPELLINGS = 12 * TIMES
TARGETS = {}
GOOD = ("succeeded", "accepted")
SENDER = Sender()


def target(service, method, about):
    """For functions that make four things and return their names, how to ask for some, and how to see which of them are done."""
    def keep(prepare):
        TARGETS[prepare.__name__] = (service, method, [about, "head"] + ["form"] * (about == "parameters"), prepare)
        return prepare
    return keep


@target("ec2", "terminate_instances", "parameters")
def machines_are_terminated(aws):
    ec2 = aws.client("ec2")
    ids = instances(aws, 4)

    def done():
        found = ec2.describe_instances(InstanceIds=ids)["Reservations"]
        return {i["InstanceId"] for r in found for i in r["Instances"] if i["State"]["Name"] != "running"}
    return ids, lambda some: dict(InstanceIds=some), done


@target("ec2", "create_tags", "parameters")
def machines_are_tagged(aws):
    ec2 = aws.client("ec2")
    ids = instances(aws, 4)

    def done():
        return {tag["ResourceId"] for tag in ec2.describe_tags()["Tags"]} & set(ids)
    return ids, lambda some: dict(Resources=some, Tags=[{"Key": "team", "Value": "night"}]), done


@target("autoscaling", "batch_delete_scheduled_action", "parameters")
def actions_are_unscheduled(aws):
    scaling = aws.client("autoscaling")
    names = ["night", "noon", "dusk", "dawn"]
    for name in names:
        scaling.put_scheduled_update_group_action(AutoScalingGroupName="g", ScheduledActionName=name, MinSize=1)

    def done():
        left = scaling.describe_scheduled_actions(AutoScalingGroupName="g")["ScheduledUpdateGroupActions"]
        return set(names) - {action["ScheduledActionName"] for action in left}
    return names, lambda some: dict(AutoScalingGroupName="g", ScheduledActionNames=some), done


@target("ecr", "batch_delete_image", "json")
def images_are_deleted(aws):
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName="web")
    tags = ["v1", "v2", "v3", "v4"]
    for n, tag in enumerate(tags):
        ecr.put_image(repositoryName="web", imageManifest=MANIFEST.replace("a" * 64, str(n) * 64), imageTag=tag)

    def done():
        return set(tags) - {image.get("imageTag") for image in ecr.list_images(repositoryName="web")["imageIds"]}
    return tags, lambda some: dict(repositoryName="web", imageIds=[{"imageTag": tag} for tag in some]), done


@target("ssm", "delete_parameters", "json")
def parameters_are_deleted(aws):
    ssm = aws.client("ssm")
    names = ["/a", "/b", "/c", "/d"]
    for name in names:
        ssm.put_parameter(Name=name, Value="1", Type="String", Overwrite=True)
    return names, lambda some: dict(Names=some), lambda: set(names) - {p["Name"] for p in ssm.describe_parameters()["Parameters"]}


@target("glue", "batch_delete_table", "json")
def tables_are_deleted(aws):
    glue = aws.client("glue")
    glue_table(aws)
    for name in ("u", "v", "w"):
        glue.create_table(DatabaseName="db", TableInput={"Name": name})
    names = ["t", "u", "v", "w"]

    def done():
        return set(names) - {t["Name"] for t in glue.get_tables(DatabaseName="db")["TableList"]}
    return names, lambda some: dict(DatabaseName="db", TablesToDelete=some), done


@target("events", "remove_targets", "json")
def event_targets_are_removed(aws):
    events = aws.client("events")
    events.put_rule(Name="r", ScheduleExpression="rate(5 minutes)")
    ids = ["a", "b", "c", "d"]
    events.put_targets(Rule="r", Targets=[{"Id": id, "Arn": f"arn:aws:sqs:us-east-1:123456789012:{id}"} for id in ids])

    def done():
        return set(ids) - {t["Id"] for t in events.list_targets_by_rule(Rule="r")["Targets"]}
    return ids, lambda some: dict(Rule="r", Ids=some), done


@target("s3", "delete_objects", "xml")
def objects_are_deleted(aws):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="archive")
    keys = ["a", "b/c", "d e&f", "g"]
    for key in keys:
        s3.put_object(Bucket="archive", Key=key, Body=b"x")

    def done():
        return set(keys) - {o["Key"] for o in s3.list_objects_v2(Bucket="archive").get("Contents", [])}
    return keys, lambda some: dict(Bucket="archive", Delete={"Objects": [{"Key": key} for key in some]}), done


@target("dynamodb", "batch_write_item", "json")
def rows_are_deleted(aws):
    dynamodb = aws.client("dynamodb")
    keys = ["1", "2", "3", "4"]
    table(aws, *keys)

    def done():
        return set(keys) - {item["k"]["S"] for item in dynamodb.scan(TableName="T")["Items"]}
    return keys, lambda some: dict(RequestItems={"T": [{"DeleteRequest": {"Key": row(key)}} for key in some]}), done


@pytest.fixture
def unsigned(aws):
    """The account with moto's signature checks off: an odd spelling has no signature that fits."""
    aws._moto("/moto-api/reset-auth", b"inf")
    aws.key = ANYONE
    return aws


@pytest.mark.parametrize("name", TARGETS)
def test_what_moto_did_is_what_was_asked(name, unsigned, gateway):
    service, method, about, prepare = TARGETS[name]

    def turn():
        unsigned._moto("/moto-api/reset")
        things, call, done = prepare(unsigned)
        verb, url, headers, body = signed(unsigned.client(service), method, call(things[:3]))
        return plain(verb, url, headers, body, gateway.address["aws-envelope"]), things, done
    try_all(name, about, turn, gateway.address["aws-envelope"], service)


def test_what_azurite_did_is_what_was_asked(storage, gateway):
    address = gateway.address["blob-envelope"]
    # Each part has a key of its own in its query: an odd spelling has no signature that fits.
    access = generate_container_sas(ACCOUNT, "box", account_key=KEY, permission="rdl", expiry=datetime.now(UTC) + timedelta(hours=1))
    names = ["a", "b", "c", "d"]

    def turn():
        storage.has_blobs(*names)
        sent = signed_blobs(lambda server, **client: storage.container(server, key=access, **client).delete_blobs(*names[:3]), address)
        return plain(*sent, address), names, lambda: set(names) - {blob.name for blob in storage.container().list_blobs()}
    try_all("blobs", ["multipart"], turn, address)


def try_all(name, about, turn, address, service=None):
    wrong, tried = [], Counter()
    for number in range(SPELLINGS):
        source = random.Random(f"{SEED} {name} {number}")
        request, things, done = turn()
        ways, odd = spelled(source, request, about, source.randint(1, 3))
        # What a spelling adds is the thing that nobody asked for.
        body, target = re.sub(rb"other-\d", things[3].encode(), odd.body), re.sub(r"other-\d", things[3], odd.target)
        odd = replace(odd, body=body, target=target)
        status, got, answer = SENDER.exchange(address, odd)
        what = judged(set(things), done(), got, answer, by_count=name == "rows_are_deleted")
        if ":" in what and service and would_be_refused(odd, service):
            what = "moto alone"
        tried[what.split(":")[0]] += 1
        if ":" in what:
            wrong.append(f"{'+'.join(ways)}: {what}\n{odd.text()}\n{status} {answer[:600]!r}")
    print(name, dict(tried))
    assert not wrong, f"READINGS={SEED}:{TIMES}, {len(wrong)} of {tried.total()}\n" + "\n\n".join(wrong[:20])


def plain(method, url, headers, body, host):
    """As the SDK sends it."""
    parts = urlsplit(url)
    left = {"content-length", "expect", "host"}
    lines = [(n, v.decode() if isinstance(v, bytes) else v) for n, v in headers.items() if n.lower() not in left]
    body = body.encode() if isinstance(body, str) else body or b""
    return Request(method, parts.path + ("?" + parts.query if parts.query else ""), (("Host", host), *lines), body)


def would_be_refused(request, service):
    """Whether the service checks what moto does not: that what its model calls required is there."""
    try:
        parsers.aws(request, service)
    except parsers.Refused:
        return True
    return False


def judged(things, done, headers, answer, by_count):
    if "onevelope-outcome" not in headers:
        own = headers.get("content-type", "").startswith("application/problem")
        return "nothing" if own or not done else f"unseen: {sorted(done)} done"
    envelope = json.loads(answer)
    asked = [result for result in envelope["results"] if "index" in result]
    good = [result for result in asked if result["outcome"] in GOOD]
    if not of_envelope(envelope).certain:
        taken = [result for result in good if result["evidence"] in ("batch", "inferred")]
        return f"false good: {taken} though unclear" if taken else "unclear"
    if by_count:
        return "alike" if len(good) == len(done) else f"differs: {len(good)} good, {len(done)} done"
    if not done <= names(asked):
        return f"fewer: {sorted(done)} done, {sorted(names(asked))} asked"
    if not names(good) & things <= done:
        return f"false good: {sorted(names(good))} good, {sorted(done)} done"
    return "alike" if done else "refused"


def names(results):
    """As the servers list them."""
    return {unquote(result.get("id") or result.get("key", "")).removeprefix(f"/{ACCOUNT}/box/") for result in results}
