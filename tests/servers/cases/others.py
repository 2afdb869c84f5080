"""ECR, Glue, Systems Manager, Secrets Manager, tagging, ECS, Route 53, Auto Scaling, WorkSpaces."""

import json

from aws import NUMBER, REGION
from cases.case import case
from verdicts import DONE, INFERRED

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
    return dict(repositoryName="web", imageIds=[{"imageTag": "v1"}, {"imageTag": "v2"}]), [
        ("v1", DONE), ("v2", "failed reported not_found ImageNotFound")]


def glue_table(aws, *partitions):
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "db"})
    glue.create_table(DatabaseName="db", TableInput={"Name": "t", "PartitionKeys": [{"Name": "day"}]})
    for value in partitions:
        glue.create_partition(DatabaseName="db", TableName="t", PartitionInput={"Values": [value]})


@case("glue", "BatchDeleteTable", 207)
def one_table_of_two_exists(aws):
    glue_table(aws)
    return dict(DatabaseName="db", TablesToDelete=["t", "u"]), [
        ("t", INFERRED), ("u", "failed reported not_found EntityNotFoundException")]


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
    return dict(DatabaseName="db", TableName="t", Entries=entries), [
        ("9", "failed reported not_found EntityNotFoundException"), ("1", INFERRED)]


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
    return dict(Names=["/app/port", "/app/host"], WithDecryption=True), [
        ("/app/port", DONE), ("/app/host", "failed reported not_found")]


@case("secretsmanager", "BatchGetSecretValue", 207, secret="correct-horse")
def one_secret_of_two_is_found(aws):
    aws.client("secretsmanager").create_secret(Name="db/password", SecretString="correct-horse", ClientRequestToken="0" * 32)
    return dict(SecretIdList=["db/password", "db/none"]), [
        ("db/password", DONE), ("db/none", "failed reported not_found ResourceNotFoundException")]


@case("resourcegroupstaggingapi", "TagResources", 207, label="tagging")
def one_resource_cannot_be_tagged(aws):
    aws.client("s3").create_bucket(Bucket="lake")
    arns = [f"arn:aws:nothing:{REGION}:{NUMBER}:thing/1", "arn:aws:s3:::lake"]
    return dict(ResourceARNList=arns, Tags={"team": "night"}), [
        (arns[0], "failed reported internal InternalServiceException"), (arns[1], INFERRED)]


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
    return dict(cluster="blue", services=["web", "mail"]), [
        ("web", "failed reported not_found MISSING"), ("mail", "failed reported not_found MISSING")]


@case("route53", "ChangeResourceRecordSets", 200)
def names_are_changed(aws):
    zone = aws.client("route53").create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]["Id"]
    changes = [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}} for name in ("a.example.org", "b.example.org")]
    return dict(HostedZoneId=zone, ChangeBatch={"Changes": changes}), [
        (f"{change['ResourceRecordSet']['Name']}/A", "succeeded batch") for change in changes]


@case("autoscaling", "BatchDeleteScheduledAction", 207)
def one_scheduled_action_of_two_exists(aws):
    aws.client("autoscaling").put_scheduled_update_group_action(AutoScalingGroupName="g", ScheduledActionName="night", MinSize=1)
    return dict(AutoScalingGroupName="g", ScheduledActionNames=["night", "noon"]), [
        ("night", INFERRED), ("noon", "failed reported invalid_argument ValidationError")]


@case("workspaces", "TerminateWorkspaces", 400)
def the_workspace_does_not_exist(aws):
    return dict(TerminateWorkspaceRequests=[{"WorkspaceId": "ws-123456789"}]), [
        ("ws-123456789", "failed reported invalid_argument 400")]


@case("workspaces", "CreateWorkspaces", 404)
def workspaces_are_for_no_directory(aws):
    workspaces = [{"DirectoryId": "d-906734e6b2", "UserName": user, "BundleId": "wsb-0zsvgp8fc"} for user in ("ann", "bob")]
    return dict(Workspaces=workspaces), [
        (f"d-906734e6b2/{user}", "failed reported not_found ResourceNotFound.Directory") for user in ("ann", "bob")]
