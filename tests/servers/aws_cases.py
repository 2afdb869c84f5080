"""Batch calls that moto answers, and what each is worth: one function per call, which prepares the account.

A function gets the account and returns the call's parameters and the verdict for each item. What a real service does
otherwise is said beside the case.
"""

import json
import time
from dataclasses import dataclass

from botocore import xform_name

from aws import NUMBER, REGION
from verdicts import ANY, DONE, INFERRED, TAKEN, Expected, refused

CASES = []
OUTCOME = {200: "succeeded", 202: "accepted", 207: "partial", 502: "unknown"}


@dataclass(frozen=True)
class Case:
    prepare: object
    service: str  # boto3's name
    label: str  # onevelope's
    action: str
    status: int  # of the envelope
    secret: str | None

    @property
    def method(self):
        return xform_name(self.action)

    def expected(self, items):
        return Expected("aws", self.label, self.action, OUTCOME.get(self.status, "failed"), items, self.secret)

    def __str__(self):
        return f"{self.service}-{self.prepare.__name__}"


def case(service, action, status, label=None, secret=None):
    def keep(prepare):
        CASES.append(Case(prepare, service, label or service, action, status, secret))
        return prepare
    return keep


# === SQS, SNS: the caller's labels ===


def queue(aws, *bodies):
    """A queue, and a receipt for each of the messages in it."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    receipts = [sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"] for _ in bodies]
    return url, *receipts


@case("sqs", "SendMessageBatch", 200)
def messages_are_sent(aws):
    [url] = queue(aws)
    entries = [{"Id": "a", "MessageBody": "eins"}, {"Id": "b", "MessageBody": "zw\u00f6lf \u2713"}]
    return dict(QueueUrl=url, Entries=entries), [("a", DONE), ("b", DONE)]


@case("sqs", "SendMessageBatch", 207)
def a_message_asks_for_too_long_a_delay(aws):
    [url] = queue(aws)
    entries = [{"Id": "late", "MessageBody": "1", "DelaySeconds": 4000}, {"Id": "now", "MessageBody": "2"}]
    return dict(QueueUrl=url, Entries=entries), [("late", "failed reported invalid_argument InvalidParameterValue"), ("now", DONE)]


@case("sqs", "SendMessageBatch", 400)
def two_messages_have_one_label(aws):
    [url] = queue(aws)
    # A repeated label is one item: nothing could tell the two apart in a reply.
    entries = [{"Id": "a", "MessageBody": "1"}, {"Id": "a", "MessageBody": "2"}]
    return dict(QueueUrl=url, Entries=entries), refused("invalid_argument", "BatchEntryIdsNotDistinct", "a")


@case("sqs", "DeleteMessageBatch", 207)
def a_message_is_deleted_and_a_receipt_is_none(aws):
    url, receipt = queue(aws, "1")
    entries = [{"Id": "good", "ReceiptHandle": receipt}, {"Id": "bad", "ReceiptHandle": "no-receipt"}]
    return dict(QueueUrl=url, Entries=entries), [("good", DONE), ("bad", "failed reported invalid_argument ReceiptHandleIsInvalid")]


@case("sqs", "ChangeMessageVisibilityBatch", 207)
def a_message_is_hidden_for_longer_and_two_are_not(aws):
    url, receipt = queue(aws, "1")
    entries = [{"Id": "bad", "ReceiptHandle": "no-receipt", "VisibilityTimeout": 5}, {"Id": "good", "ReceiptHandle": receipt, "VisibilityTimeout": 5},
               {"Id": "long", "ReceiptHandle": receipt, "VisibilityTimeout": 43201}]
    return dict(QueueUrl=url, Entries=entries), [
        ("bad", "failed reported invalid_argument ReceiptHandleIsInvalid"), ("good", DONE), ("long", "failed reported invalid_argument InvalidParameterValue")]


@case("sns", "PublishBatch", 200)
def notices_are_published(aws):
    topic = aws.client("sns").create_topic(Name="news")["TopicArn"]
    entries = [{"Id": "a", "Message": "1"}, {"Id": "b", "Message": "2"}]
    return dict(TopicArn=topic, PublishBatchRequestEntries=entries), [("a", DONE), ("b", DONE)]


@case("sns", "PublishBatch", 400)
def a_notice_for_a_fifo_topic_has_no_group(aws):
    topic = aws.client("sns").create_topic(Name="news.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    entries = [{"Id": "a", "Message": "1", "MessageGroupId": "g", "MessageDeduplicationId": "1"}, {"Id": "b", "Message": "2"}]
    return dict(TopicArn=topic, PublishBatchRequestEntries=entries), refused("invalid_argument", "InvalidParameter", "a", "b")


@case("sns", "PublishBatch", 207)
def a_notice_is_too_long_and_another_is_forgotten(aws):
    topic = aws.client("sns").create_topic(Name="news")["TopicArn"]
    # moto drops a notice with too long a subject: it stands in neither list.
    entries = [{"Id": "long", "Message": "x" * (256 * 1024 + 1)}, {"Id": "fine", "Message": "1"}, {"Id": "lost", "Message": "2", "Subject": "s" * 101}]
    return dict(TopicArn=topic, PublishBatchRequestEntries=entries), [
        ("long", "failed reported invalid_argument InvalidParameter"), ("fine", DONE), ("lost", "unknown none unknown")]


# === S3: one version is on legal hold ===

NAME = "b\u00fccher/a b&c<1>.txt"  # must be escaped in XML, and is signed by its MD5


def objects(aws):
    """Two free objects and a held one, as `Objects` of the call."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="archive", ObjectLockEnabledForBucket=True)
    keys = ["free", "held", NAME]
    versions = [s3.put_object(Bucket="archive", Key=key, Body=b"x")["VersionId"] for key in keys]
    s3.put_object_legal_hold(Bucket="archive", Key="held", VersionId=versions[1], LegalHold={"Status": "ON"})
    return [{"Key": key, "VersionId": version} for key, version in zip(keys, versions, strict=True)]


@case("s3", "DeleteObjects", 207)
def a_held_version_stays(aws):
    return dict(Bucket="archive", Delete={"Objects": objects(aws)}), [
        ("free", DONE), ("held", "failed reported permission_denied AccessDenied"), (NAME, DONE)]


@case("s3", "DeleteObjects", 207)
def a_held_version_stays_and_nobody_asked_for_the_others(aws):
    # S3 would list the held one only, and the others were inferred; moto lists all.
    return dict(Bucket="archive", Delete={"Objects": objects(aws), "Quiet": True}), [
        ("free", DONE), ("held", "failed reported permission_denied AccessDenied"), (NAME, DONE)]


@case("s3", "DeleteObjects", 404)
def the_bucket_does_not_exist(aws):
    return dict(Bucket="nowhere", Delete={"Objects": [{"Key": "a"}, {"Key": "b"}], "Quiet": True}), refused("not_found", "NoSuchBucket", "a", "b")


# === DynamoDB: items by position ===


def row(key):
    return {"k": {"S": key}}


def table(aws, *keys):
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(TableName="T", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                          AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}])
    for key in keys:
        dynamodb.put_item(TableName="T", Item=row(key))


def put(key, **more):
    return {"Put": {"TableName": "T", "Item": row(key)} | more}


NEW_ONLY = dict(ConditionExpression="attribute_not_exists(k)")


@case("dynamodb", "BatchWriteItem", 200)
def rows_are_written(aws):
    table(aws, "2")
    requests = [{"PutRequest": {"Item": row("1")}}, {"DeleteRequest": {"Key": row("2")}}]
    return dict(RequestItems={"T": requests}), [("#0", INFERRED), ("#1", INFERRED)]


@case("dynamodb", "BatchWriteItem", 404)
def rows_are_for_no_table(aws):
    requests = [{"PutRequest": {"Item": row("1")}}, {"PutRequest": {"Item": row("2")}}]
    return dict(RequestItems={"T": requests}), refused("not_found", "ResourceNotFoundException", "#0", "#1")


@case("dynamodb", "BatchGetItem", 207)
def one_row_is_there(aws):
    table(aws, "1")
    return dict(RequestItems={"T": {"Keys": [row("2"), row("1")]}}), [("#0", "failed inferred not_found"), ("#1", DONE)]


@case("dynamodb", "TransactGetItems", 200)
def a_transaction_reads_a_row_and_learns_that_another_is_not_there(aws):
    table(aws, "1")
    return dict(TransactItems=[{"Get": {"TableName": "T", "Key": row(key)}} for key in ("2", "1")]), [("#0", DONE), ("#1", DONE)]


@case("dynamodb", "TransactWriteItems", 200)
def a_transaction_is_carried_out(aws):
    table(aws, "1")
    items = [put("2", **NEW_ONLY), {"Delete": {"TableName": "T", "Key": row("1")}}]
    return dict(TransactItems=items), [("#0", "succeeded batch"), ("#1", "succeeded batch")]


@case("dynamodb", "TransactWriteItems", 422)
def a_transaction_meets_a_condition_that_fails(aws):
    table(aws, "1")
    items = [put("2"), put("1", **NEW_ONLY), put("3")]
    return dict(TransactItems=items), [
        ("#0", "not_attempted inferred aborted"), ("#1", "failed reported failed_precondition ConditionalCheckFailed"), ("#2", "not_attempted inferred aborted")]


@case("dynamodb", "BatchExecuteStatement", 207)
def statements_fare_differently(aws):
    table(aws)
    statements = ["INSERT INTO T VALUE {'k':'1'}", "SELECT * FROM T WHERE other='1'", "SELECT * FROM NOWHERE WHERE k='1'"]
    return dict(Statements=[{"Statement": s} for s in statements]), [
        ("#0", DONE), ("#1", "failed reported invalid_argument ValidationError"), ("#2", "failed reported not_found ResourceNotFound")]


# === EC2: the query protocol ===

IMAGE = "ami-0abcdef1234567890"

def instances(aws, count):
    launched = aws.client("ec2").run_instances(ImageId=IMAGE, MinCount=count, MaxCount=count, InstanceType="t3.micro")
    return [instance["InstanceId"] for instance in launched["Instances"]]


NO_INSTANCE = "i-0123456789abcdef0"


@case("ec2", "TerminateInstances", 202)
def instances_shut_down(aws):
    ids = instances(aws, 2)
    return dict(InstanceIds=ids), [(id, TAKEN) for id in ids]


@case("ec2", "TerminateInstances", 404)
def one_instance_to_terminate_does_not_exist(aws):
    ids = [*instances(aws, 1), NO_INSTANCE]
    return dict(InstanceIds=ids), refused("not_found", "InvalidInstanceID.NotFound", *ids)


@case("ec2", "StopInstances", 202)
def instances_stop(aws):
    ids = instances(aws, 2)
    return dict(InstanceIds=ids), [(id, TAKEN) for id in ids]


@case("ec2", "StartInstances", 202)
def instances_start(aws):
    ids = instances(aws, 2)
    aws.client("ec2").stop_instances(InstanceIds=ids)
    return dict(InstanceIds=ids), [(id, TAKEN) for id in ids]


@case("ec2", "MonitorInstances", 502)
def the_server_breaks_down(aws):
    # moto has no such action: its own code raises, and a page in HTML with status 500 is all that comes back.
    ids = instances(aws, 2)
    return dict(InstanceIds=ids), [(id, "unknown none internal") for id in ids]


@case("ec2", "RunInstances", 202)
def instances_are_launched(aws):
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    return dict(ImageId=IMAGE, MinCount=2, MaxCount=2, InstanceType="t3.micro", SubnetId=subnet, ClientToken="once"), [(ANY, TAKEN), (ANY, TAKEN)]


@case("ec2", "CreateTags", 200)
def instances_are_tagged(aws):
    ids = instances(aws, 2)
    return dict(Resources=ids, Tags=[{"Key": "team", "Value": "night"}]), [(id, "succeeded batch") for id in ids]


@case("ec2", "RebootInstances", 202)
def instances_reboot(aws):
    ids = instances(aws, 2)
    return dict(InstanceIds=ids), [(id, "accepted batch") for id in ids]


@case("ec2", "DeleteVpcEndpointServiceConfigurations", 404)
def endpoint_services_do_not_exist(aws):
    ids = ["vpce-svc-0aaaaaaaaaaaaaaaa", "vpce-svc-0bbbbbbbbbbbbbbbb"]
    return dict(ServiceIds=ids), [(id, "failed reported not_found InvalidVpcEndpointService.NotFound") for id in ids]


@case("ec2", "CreateFlowLogs", 400)
def flow_logs_have_nowhere_to_go(aws):
    ids = [aws.client("ec2").create_vpc(CidrBlock=f"10.{n}.0.0/16")["Vpc"]["VpcId"] for n in (1, 2)]
    return dict(ResourceIds=ids, ResourceType="VPC", TrafficType="ALL", LogDestinationType="s3", LogDestination="arn:aws:s3:::nowhere"), [
        (id, "failed reported invalid_argument 400") for id in ids]


# === streams: records by position ===


@case("kinesis", "PutRecords", 200)
def records_are_put(aws):
    aws.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    return dict(StreamName="s", Records=[{"Data": b"\x001", "PartitionKey": "a"}, {"Data": b"2", "PartitionKey": "b"}]), [("#0", DONE), ("#1", DONE)]


@case("kinesis", "PutRecords", 404)
def records_are_for_no_stream(aws):
    return dict(StreamName="s", Records=[{"Data": b"1", "PartitionKey": "a"}, {"Data": b"2", "PartitionKey": "b"}]), refused(
        "not_found", "ResourceNotFoundException", "#0", "#1")


@case("firehose", "PutRecordBatch", 200)
def records_are_delivered(aws):
    aws.client("s3").create_bucket(Bucket="lake")
    aws.client("firehose").create_delivery_stream(DeliveryStreamName="f", ExtendedS3DestinationConfiguration={
        "RoleARN": f"arn:aws:iam::{NUMBER}:role/firehose", "BucketARN": "arn:aws:s3:::lake"})
    return dict(DeliveryStreamName="f", Records=[{"Data": b"1"}, {"Data": b"2"}]), [("#0", DONE), ("#1", DONE)]


@case("events", "PutEvents", 207)
def one_event_of_four_is_well_formed(aws):
    event = {"Source": "s", "DetailType": "d", "Detail": "{}"}
    entries = [event | {"Detail": "no JSON"}, event, {"Source": "s", "DetailType": "d"}, {"DetailType": "d", "Detail": "{}"}]
    return dict(Entries=entries), [
        ("#0", "failed reported invalid_argument MalformedDetail"), ("#1", DONE),
        ("#2", "failed reported invalid_argument InvalidArgument"), ("#3", "failed reported invalid_argument InvalidArgument")]


@case("events", "RemoveTargets", 200)
def targets_are_removed(aws):
    aws.client("events").put_rule(Name="r", ScheduleExpression="rate(5 minutes)")
    return dict(Rule="r", Ids=["a", "b"]), [("a", INFERRED), ("b", INFERRED)]


@case("events", "RemoveTargets", 404)
def targets_are_of_no_rule(aws):
    return dict(Rule="r", Ids=["a", "b"]), refused("not_found", "ResourceNotFoundException", "a", "b")


@case("logs", "PutLogEvents", 207)
def a_log_line_is_from_the_future(aws):
    # One such line only: moto gives the last one's index where the documented field is that of the first. Likewise with old ones.
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    now = int(time.time() * 1000)
    lines = [{"timestamp": at, "message": "m"} for at in (now, now + 86_400_000)]
    return dict(logGroupName="g", logStreamName="s", logEvents=lines), [("#0", INFERRED), ("#1", "failed reported invalid_argument")]


# === ECR, Glue, SSM and the others ===

MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                       "config": {"mediaType": "application/json", "size": 1, "digest": "sha256:" + "a" * 64}, "layers": []})


def image(aws):
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName="web")
    ecr.put_image(repositoryName="web", imageManifest=MANIFEST, imageTag="v1")


@case("ecr", "BatchDeleteImage", 207)
def one_image_of_three_exists(aws):
    image(aws)
    digest = "sha256:" + "b" * 64
    return dict(repositoryName="web", imageIds=[{"imageTag": "v2"}, {"imageTag": "v1"}, {"imageDigest": digest}]), [
        ("v2", "failed reported not_found ImageNotFound"), ("v1", DONE), (digest, "failed reported not_found ImageNotFound")]


@case("ecr", "BatchGetImage", 207)
def one_image_of_two_is_found(aws):
    image(aws)
    return dict(repositoryName="web", imageIds=[{"imageTag": "v1"}, {"imageTag": "v2"}]), [("v1", DONE), ("v2", "failed reported not_found ImageNotFound")]


def glue_table(aws, *partitions):
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "db"})
    glue.create_table(DatabaseName="db", TableInput={"Name": "t", "PartitionKeys": [{"Name": "day"}]})
    for value in partitions:
        glue.create_partition(DatabaseName="db", TableName="t", PartitionInput={"Values": [value]})


@case("glue", "BatchDeleteTable", 207)
def one_table_of_two_exists(aws):
    glue_table(aws)
    return dict(DatabaseName="db", TablesToDelete=["t", "u"]), [("t", INFERRED), ("u", "failed reported not_found EntityNotFoundException")]


@case("glue", "BatchDeleteTable", 200)
def the_table_is_deleted(aws):
    glue_table(aws)
    return dict(DatabaseName="db", TablesToDelete=["t"]), [("t", INFERRED)]


@case("glue", "BatchCreatePartition", 207)
def one_partition_is_there_already(aws):
    glue_table(aws, "1")
    return dict(DatabaseName="db", TableName="t", PartitionInputList=[{"Values": ["1"]}, {"Values": ["2"]}]), [
        ("1", "failed reported already_exists AlreadyExistsException"), ("2", INFERRED)]


@case("glue", "BatchDeletePartition", 207)
def one_partition_is_not_there(aws):
    glue_table(aws, "1")
    return dict(DatabaseName="db", TableName="t", PartitionsToDelete=[{"Values": ["1"]}, {"Values": ["9"]}]), [
        ("1", INFERRED), ("9", "failed reported not_found EntityNotFoundException")]


@case("glue", "BatchUpdatePartition", 207)
def one_partition_to_change_is_not_there(aws):
    glue_table(aws, "1")
    entries = [{"PartitionValueList": [old], "PartitionInput": {"Values": [new]}} for old, new in (("9", "8"), ("1", "2"))]
    return dict(DatabaseName="db", TableName="t", Entries=entries), [("9", "failed reported not_found EntityNotFoundException"), ("1", INFERRED)]


@case("glue", "BatchGetJobs", 404)
def no_job_is_found(aws):
    return dict(JobNames=["nightly", "weekly"]), [("nightly", "failed reported not_found"), ("weekly", "failed reported not_found")]


def parameter(aws):
    aws.client("ssm").put_parameter(Name="/app/port", Value="s3cret-8080", Type="SecureString")


@case("ssm", "DeleteParameters", 207)
def one_parameter_of_two_exists(aws):
    parameter(aws)
    return dict(Names=["/app/host", "/app/port"]), [("/app/host", "failed reported not_found"), ("/app/port", DONE)]


@case("ssm", "GetParameters", 207, secret="s3cret-8080")
def one_parameter_of_two_is_found(aws):
    parameter(aws)
    return dict(Names=["/app/port", "/app/host"], WithDecryption=True), [("/app/port", DONE), ("/app/host", "failed reported not_found")]


@case("secretsmanager", "BatchGetSecretValue", 207, secret="correct-horse")
def one_secret_of_two_is_found(aws):
    aws.client("secretsmanager").create_secret(Name="db/password", SecretString="correct-horse", ClientRequestToken="0" * 32)
    return dict(SecretIdList=["db/password", "db/none"]), [("db/password", DONE), ("db/none", "failed reported not_found ResourceNotFoundException")]


@case("resourcegroupstaggingapi", "TagResources", 207, label="tagging")
def one_resource_cannot_be_tagged(aws):
    aws.client("s3").create_bucket(Bucket="lake")
    arns = [f"arn:aws:nothing:{REGION}:{NUMBER}:thing/1", "arn:aws:s3:::lake"]
    return dict(ResourceARNList=arns, Tags={"team": "night"}), [(arns[0], "failed reported internal InternalServiceException"), (arns[1], INFERRED)]


@case("resourcegroupstaggingapi", "UntagResources", 200, label="tagging")
def a_tag_is_taken_away(aws):
    aws.client("s3").create_bucket(Bucket="lake")
    return dict(ResourceARNList=["arn:aws:s3:::lake"], TagKeys=["team"]), [("arn:aws:s3:::lake", INFERRED)]


@case("ecs", "DescribeClusters", 207)
def one_cluster_of_two_exists(aws):
    aws.client("ecs").create_cluster(clusterName="blue")
    return dict(clusters=["green", "blue"]), [("green", "failed reported not_found MISSING"), ("blue", DONE)]


@case("ecs", "DescribeServices", 404)
def no_service_is_found(aws):
    aws.client("ecs").create_cluster(clusterName="blue")
    return dict(cluster="blue", services=["web", "mail"]), [("web", "failed reported not_found MISSING"), ("mail", "failed reported not_found MISSING")]


@case("route53", "ChangeResourceRecordSets", 200)
def names_are_changed(aws):
    zone = aws.client("route53").create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]["Id"]
    changes = [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}} for name in ("a.example.org", "b.example.org")]
    return dict(HostedZoneId=zone, ChangeBatch={"Changes": changes}), [(f"{change['ResourceRecordSet']['Name']}/A", "succeeded batch") for change in changes]


@case("autoscaling", "BatchDeleteScheduledAction", 207)
def one_scheduled_action_of_two_exists(aws):
    aws.client("autoscaling").put_scheduled_update_group_action(AutoScalingGroupName="g", ScheduledActionName="night", MinSize=1)
    return dict(AutoScalingGroupName="g", ScheduledActionNames=["night", "noon"]), [
        ("night", INFERRED), ("noon", "failed reported invalid_argument ValidationError")]


@case("workspaces", "TerminateWorkspaces", 400)
def the_workspace_does_not_exist(aws):
    return dict(TerminateWorkspaceRequests=[{"WorkspaceId": "ws-123456789"}]), [("ws-123456789", "failed reported invalid_argument 400")]


@case("workspaces", "CreateWorkspaces", 404)
def workspaces_are_for_no_directory(aws):
    workspaces = [{"DirectoryId": "d-906734e6b2", "UserName": user, "BundleId": "wsb-0zsvgp8fc"} for user in ("ann", "bob")]
    return dict(Workspaces=workspaces), [
        (f"d-906734e6b2/{user}", "failed reported not_found ResourceNotFound.Directory") for user in ("ann", "bob")]
