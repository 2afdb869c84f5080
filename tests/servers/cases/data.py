"""S3, where one version is on legal hold, and DynamoDB, whose rows are known by their position."""

from cases.case import case
from verdicts import DONE, INFERRED, refused

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
    delete = {"Objects": [{"Key": "a"}, {"Key": "b"}], "Quiet": True}
    return dict(Bucket="nowhere", Delete=delete), refused("not_found", "NoSuchBucket", "a", "b")


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
        ("#0", "not_attempted inferred aborted"), ("#1", "failed reported failed_precondition ConditionalCheckFailed"),
        ("#2", "not_attempted inferred aborted")]


@case("dynamodb", "BatchExecuteStatement", 207)
def statements_fare_differently(aws):
    table(aws)
    statements = ["INSERT INTO T VALUE {'k':'1'}", "SELECT * FROM T WHERE other='1'", "SELECT * FROM NOWHERE WHERE k='1'"]
    return dict(Statements=[{"Statement": s} for s in statements]), [
        ("#0", DONE), ("#1", "failed reported invalid_argument ValidationError"), ("#2", "failed reported not_found ResourceNotFound")]
