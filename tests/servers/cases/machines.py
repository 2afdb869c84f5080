"""EC2: the query protocol, and replies in XML."""

from cases.case import case
from verdicts import ANY, TAKEN, refused

IMAGE = "ami-0abcdef1234567890"
NO_INSTANCE = "i-0123456789abcdef0"


def instances(aws, count):
    launched = aws.client("ec2").run_instances(ImageId=IMAGE, MinCount=count, MaxCount=count, InstanceType="t3.micro")
    return [instance["InstanceId"] for instance in launched["Instances"]]


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
    return dict(ImageId=IMAGE, MinCount=2, MaxCount=2, InstanceType="t3.micro", SubnetId=subnet, ClientToken="once"), [
        (ANY, TAKEN), (ANY, TAKEN)]


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
