"""An account on moto, with moto's signature and permission checks on, and boto3 clients for it.

`reset` gives the same account each time: moto draws its ids from a seed, so that a call made twice gets the same answer.
"""

import json
import urllib.request

import boto3
from botocore.config import Config

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NUMBER = "123456789012"
REGION = "us-east-1"
ANYONE = "anyone", "anything"


class Account:
    def __init__(self, server):
        self.server = server
        self.session = boto3.Session(region_name=REGION)
        self.clients = {}
        self.key = None

    def reset(self):
        self._moto("/moto-api/reset")
        self._moto("/moto-api/reset-auth", b"inf")
        # EC2's defaults take ids from the seed whenever they are made, which may be in the reset or at the first use.
        self._client("ec2", self.server, ANYONE).describe_regions()
        self._moto("/moto-api/seed?a=42", method="GET")
        iam = self._client("iam", self.server, ANYONE)
        iam.create_user(UserName="tester")
        iam.put_user_policy(UserName="tester", PolicyName="everything", PolicyDocument=json.dumps(EVERYTHING))
        key = iam.create_access_key(UserName="tester")["AccessKey"]
        self.key = key["AccessKeyId"], key["SecretAccessKey"]
        self._moto("/moto-api/reset-auth", b"0")  # from here on every call must be signed

    def _moto(self, path, body=None, method="POST"):
        # Without a type of its own, the body would be read as a form.
        request = urllib.request.Request(f"http://{self.server}{path}", body, {"Content-Type": "text/plain"}, method=method)
        with urllib.request.urlopen(request, timeout=20) as response:
            assert response.status == 200

    def client(self, service, address=None, **config):
        """A client that talks to moto, or to `address` in its place."""
        return self._client(service, address or self.server, self.key, **config)

    def _client(self, service, address, key, **config):
        # Making a client takes longer than a call. Nothing is repeated: each call is to be seen once.
        known = service, address, key, repr(config)
        if known not in self.clients:
            self.clients[known] = self.session.client(
                service, endpoint_url=f"http://{address}", aws_access_key_id=key[0], aws_secret_access_key=key[1],
                config=Config(retries={"total_max_attempts": 1}, **config))
        return self.clients[known]


class Taken(Exception):
    """Carries a request that was signed and not sent."""


def signed(client, method, parameters):
    """The request that the SDK would send, with its signature: (method, url, headers, body)."""

    def take(request, **_):
        raise Taken(request)

    client.meta.events.register_first("before-send", take)
    try:
        getattr(client, method)(**parameters)
    except Taken as taken:
        [request] = taken.args
        return request.method, request.url, dict(request.headers.items()), request.body
    finally:
        client.meta.events.unregister("before-send", take)
    raise AssertionError("the SDK sent nothing")
