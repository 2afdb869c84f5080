"""One call: how the account is prepared for it, and what the gateway must make of it."""

from dataclasses import dataclass

from botocore import xform_name

from verdicts import Expected

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
