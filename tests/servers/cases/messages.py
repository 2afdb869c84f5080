"""SQS and SNS, where the caller labels what it sends; Kinesis, Firehose, EventBridge and Logs, where only the position tells."""

import time

from aws import NUMBER
from cases.case import case
from verdicts import DONE, INFERRED, refused


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
    entries = [{"Id": label, "ReceiptHandle": handle, "VisibilityTimeout": seconds}
               for label, handle, seconds in (("bad", "no-receipt", 5), ("good", receipt, 5), ("long", receipt, 43201))]
    return dict(QueueUrl=url, Entries=entries), [
        ("bad", "failed reported invalid_argument ReceiptHandleIsInvalid"), ("good", DONE),
        ("long", "failed reported invalid_argument InvalidParameterValue")]


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
    entries = [{"Id": "long", "Message": "x" * (256 * 1024 + 1)}, {"Id": "fine", "Message": "1"},
               {"Id": "lost", "Message": "2", "Subject": "s" * 101}]
    return dict(TopicArn=topic, PublishBatchRequestEntries=entries), [
        ("long", "failed reported invalid_argument InvalidParameter"), ("fine", DONE), ("lost", "unknown none unknown")]


@case("kinesis", "PutRecords", 200)
def records_are_put(aws):
    aws.client("kinesis").create_stream(StreamName="s", ShardCount=1)
    return dict(StreamName="s", Records=[{"Data": b"\x001", "PartitionKey": "a"}, {"Data": b"2", "PartitionKey": "b"}]), [
        ("#0", DONE), ("#1", DONE)]


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
