"""azure-storage-blob and azure-data-tables against Azurite."""

from dataclasses import dataclass

import pytest
import requests
from azure.core.exceptions import HttpResponseError

from calls import nothing_was_changed, through, told
from storage import ACCOUNT, entity, signed
from verdicts import DONE, Expected

CASES = []
OUTCOME = {200: "succeeded", 207: "partial"}
ACTIONS = {"blob": "SubmitBatch", "table": "SubmitTransaction"}


@dataclass(frozen=True)
class Case:
    prepare: object
    service: str
    status: int  # of the envelope

    def expected(self, items):
        return Expected("azure", self.service, ACTIONS[self.service], OUTCOME.get(self.status, "failed"), items)

    def __str__(self):
        return f"{self.service}-{self.prepare.__name__}"


def case(service, status):
    """For functions that prepare the account and return the call, for a given address, and the verdict for each item."""
    def keep(prepare):
        CASES.append(Case(prepare, service, status))
        return prepare
    return keep


# === blobs: sub-requests, each with a Content-ID, which is the key ===

NOT_FOUND = "failed reported not_found BlobNotFound"


def delete(storage, *blobs, container="box", **options):
    return lambda address, **client: storage.container(address, container, **client).delete_blobs(*blobs, **options)


@case("blob", 200)
def blobs_are_deleted(storage):
    storage.has_blobs("a", "d e/\u00fc")
    return delete(storage, "a", "d e/\u00fc"), [("0", DONE), ("1", DONE)]


@case("blob", 207)
def a_blob_is_missing_and_another_leased(storage):
    storage.has_blobs("a", "leased", "b", leased=["leased"])
    return delete(storage, "missing", "a", "leased", "b", raise_on_any_failure=False), [
        ("0", NOT_FOUND), ("1", DONE), ("2", "failed reported failed_precondition LeaseIdMissing"), ("3", DONE)]


@case("blob", 207)
def a_missing_blob_is_an_exception(storage):
    storage.has_blobs("a")
    return delete(storage, "a", "missing"), [("0", DONE), ("1", NOT_FOUND)]


@case("blob", 404)
def the_container_does_not_exist(storage):
    return delete(storage, "a", "b", container="nowhere", raise_on_any_failure=False), [
        (name, "failed reported not_found ContainerNotFound") for name in ("0", "1")]


@case("blob", 207)
def one_blob_is_cooled_and_one_is_missing(storage):
    storage.has_blobs("a")
    return lambda address, **client: storage.container(address, **client).set_standard_blob_tier_blobs(
        "Cool", "a", "missing", raise_on_any_failure=False), [("0", DONE), ("1", NOT_FOUND)]


# === tables: all or nothing ===


def transaction(storage, *operations, table="things"):
    return lambda address, **client: storage.table(address, table, **client).submit_transaction(operations)


UNDONE = "not_attempted inferred aborted"


@case("table", 200)
def a_transaction_is_carried_out(storage):
    storage.has_entities("old")
    return transaction(storage, ("create", entity("new", word="\u2713")), ("upsert", entity("any")), ("delete", entity("old"))), [
        ("0", DONE), ("1", DONE), ("2", DONE)]


@case("table", 422)
def one_entity_of_three_is_there_already(storage):
    storage.has_entities("old")
    return transaction(storage, *(("create", entity(key)) for key in ("a", "old", "b"))), [
        ("0", UNDONE), ("1", "failed reported already_exists EntityAlreadyExists"), ("2", UNDONE)]


@case("table", 422)
def one_entity_to_delete_is_not_there(storage):
    storage.has_entities("old")
    return transaction(storage, ("delete", entity("none")), ("delete", entity("old"))), [
        ("0", "failed reported not_found ResourceNotFound"), ("1", UNDONE)]


@case("table", 422)
def the_table_does_not_exist(storage):
    return transaction(storage, ("create", entity("a")), ("create", entity("b")), table="nowhere"), [
        ("0", "failed reported not_found TableNotFound"), ("1", UNDONE)]


# === the tests ===


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_sdk_sees_no_difference(case, storage, gateway):
    call, _ = case.prepare(storage)
    direct = result(call, storage.server[case.service])
    call, items = case.prepare(storage)
    with gateway.counting() as moved:
        observed, seen = through(gateway, case.service, lambda: result(call, gateway.before[case.service].address))
    assert observed == direct
    nothing_was_changed(seen)
    expected = case.expected(items)
    expected.told_in_headers(told(seen.got), upstream_status=202)
    expected.told_in_metrics(moved, "observe", 202)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_envelope_has_one_verdict_for_each_item(case, storage, gateway):
    call, items = case.prepare(storage)
    method, url, headers, body = signed(call, gateway.address[f"{case.service}-envelope"])
    gateway.behind[case.service].forget()
    with gateway.counting() as moved:
        answer = requests.request(method, url, headers=headers, data=body, timeout=20)
    _, replied = gateway.behind[case.service].exchange()
    expected = case.expected(items)
    expected.told_in(answer, replied)
    assert answer.status_code == case.status
    expected.told_in_headers(answer.headers, upstream_status=202)
    expected.told_in_metrics(moved, "envelope", case.status)


def test_a_sub_request_is_named_by_its_path(storage, gateway):
    storage.has_blobs("d e/\u00fc")
    method, url, headers, body = signed(delete(storage, "d e/\u00fc"), gateway.address["blob-envelope"])
    [result] = requests.request(method, url, headers=headers, data=body, timeout=20).json()["results"]
    assert result["id"] == f"/{ACCOUNT}/box/d%20e/%C3%BC"


def result(call, address):
    """What the program sees, without request ids, moments and etags: those are new each time."""
    try:
        answers = list(call(address))
    except HttpResponseError as error:
        message = error.message.split("\n")[0]
        return type(error).__name__, error.status_code, error.error_code, message, parts(getattr(error, "parts", None) or [])
    return parts(answers)


def parts(answers):
    """Responses of sub-requests (blobs), or what became of entities (tables)."""
    return [sorted(a) if isinstance(a, dict) else (a.status_code, a.reason, sorted(a.headers)) for a in answers]
