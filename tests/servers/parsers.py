"""How servers read requests, by parsers that are not ours: for AWS moto's, which run botocore's models backwards; for all
others Python's urllib and json.

A parser says in which ways a request may be understood, each as a request in plain spelling that says the same: what botocore
writes, or a form or JSON written anew. Where a parser takes one of two and its neighbours in other languages take the other,
there are several.
"""

import gzip
import json
import re
from dataclasses import replace
from urllib.parse import parse_qsl, quote_plus

from botocore.serialize import create_serializer
from botocore.validate import ParamValidator
from moto.core.model import ServiceModel
from moto.core.parse import PROTOCOL_PARSERS, UNDEFINED
from moto.core.request import Request as Received
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

from spellings import Request, pairs_of, with_pairs

NUMBERED = re.compile(r"(.*)\.(\d+)(\..*)?")


class Refused(Exception):
    """No server that reads so would do anything."""


# === AWS ===

# botocore's name of what is called something else in host names.
NAMES = {
    "aoss": "opensearchserverless", "discovery": "discovery", "elasticloadbalancing": "elbv2 elb", "geo": "location",
    "monitoring": "cloudwatch", "profile": "customer-profiles", "ses": "sesv2 ses", "tagging": "resourcegroupstaggingapi",
    "timestream": "timestream-write", "cloudtrail-data": "cloudtrail-data", "greengrass": "greengrassv2 greengrass",
    "email": "sesv2 ses", "kafka": "kafka", "connect": "connect", "es": "opensearch es",
}


def models(label):
    return [get_service_model(name) for name in NAMES.get(label, label).split()]


def received(request):
    """As moto's own front has it."""
    url = "http://127.0.0.1" + request.target
    try:
        got = Received.from_values(
            method=request.method.upper(), base_url="http://127.0.0.1", path=request.path, query_string=request.query,
            data=unzipped(request), headers=list(request.headers))
    except (ValueError, UnicodeError) as cause:
        raise Refused(cause) from cause
    got.environ["RAW_URI"] = request.target
    return got, url


def unzipped(request):
    if request.get("content-encoding").strip().lower() != "gzip":
        return request.body
    try:
        return gzip.decompress(request.body)
    except (OSError, EOFError) as cause:
        raise Refused(cause) from cause


def action_of(service: ServiceModel, got):
    """moto's order (`BaseResponse._get_action`): the form, else the query; a header; method and path."""
    form = dict(got.form.items())
    named = (form or dict(got.args.items())).get("Action")
    protocol = str(service.protocol)
    if protocol in ("query", "ec2"):
        return named, {}
    if target := got.headers.get("X-Amz-Target"):
        # moto looks at the last part alone; the service knows its own names only.
        prefix, _, name = target.strip().rpartition(".")
        if prefix != service.metadata.get("targetPrefix", prefix):
            raise Refused(f"no target {target}")
        return name, {}
    if named and "query" in service.metadata.get("protocols", []):
        return named, {}
    try:
        operation, captured = get_service_router(service.service_name).match(got)
    except (HTTPException, NotImplementedError) as cause:
        raise Refused(cause) from cause
    if any("/" in value and f"{{{name}+}}" not in operation.http["requestUri"] for name, value in captured.items()):
        raise Refused("moto's last label takes slashes, the service's does not")
    return operation.name, captured


def aws(request, label):
    """[(what the SDK would have written)]"""
    got, _ = received(request)
    cause = None
    for service in models(label):
        try:
            return [_aws(request, service, got)]
        except Refused as refused:
            cause = refused
    raise Refused(cause)


def _aws(request, service, got):
    action, captured = action_of(service, got)
    if action not in service.operation_names:
        raise Refused(f"no action {action}")
    operation = service.operation_model(action)
    media_type = got.headers.get("Content-Type", "").strip()
    try:
        protocol = determine_request_protocol(service, media_type)
    except NotImplementedError as cause:
        raise Refused(cause) from cause
    if protocol not in PROTOCOL_PARSERS:
        protocol = next(known for known in service.metadata["protocols"] if known in PROTOCOL_PARSERS)
    parser = strict(PROTOCOL_PARSERS[protocol])(operation, map_type=dict)
    try:
        parameters = parser.parse({
            "method": got.method, "values": got.values, "headers": got.headers, "body": got.data, "url_path": got.path,
            "url_params": captured})
    except Refused:
        raise
    except Exception as cause:  # whatever a parser raises: the server answers with an error
        raise Refused(repr(cause)) from cause
    parameters = without_nothing(parameters)
    if operation.input_shape is None:
        raise Refused("nothing to say")
    report = ParamValidator().validate(parameters, operation.input_shape)
    if report.has_errors():
        raise Refused(report.generate_report())
    # Names of the query protocol that SQS spoke once, botocore no longer knows.
    if protocol == "query" and "json" in service.metadata.get("protocols", []):
        protocol = "json"
    written = create_serializer(protocol, False).serialize_to_request(parameters, operation)
    return as_sent(request, written)


def strict(parser):
    """The same, without what moto does not mind and services refuse."""
    class Strict(parser):
        def _parse_list(self, shape, node, *prefix):
            in_json = not prefix and parser.__name__ in ("JSONParser", "RestJSONParser")
            if in_json and isinstance(node, (dict, str)) and shape.serialization.get("location") != "header":
                raise Refused(f"no list: {node!r}")
            return super()._parse_list(shape, node, *prefix)

        def _parse_integer(self, shape, node, *prefix):
            text = node.get(prefix[0]) if prefix else node
            if isinstance(text, str) and text.strip() != text:
                raise Refused(f"no number: {text!r}")
            return super()._parse_integer(shape, node, *prefix)

        _parse_long = _parse_integer

        def _parse_body_as_json(self, body):
            try:
                return json.loads(body) if body else {}
            except ValueError as cause:
                raise Refused(cause) from cause
    return Strict


def without_nothing(value):
    if isinstance(value, dict):
        return {name: without_nothing(inner) for name, inner in value.items() if inner is not None and inner is not UNDEFINED}
    if isinstance(value, list):
        return [without_nothing(inner) for inner in value]
    return value


def as_sent(request, written):
    """What botocore wrote, with the host and credentials of the request at hand."""
    body = written["body"]
    if isinstance(body, dict):
        body = "&".join(f"{name}={quote_plus(str(value))}" for name, value in body.items()).encode()
    elif isinstance(body, str):
        body = body.encode()
    query = written["query_string"]
    query = query.items() if isinstance(query, dict) else query
    pairs = [(name, one) for name, value in query for one in (value if isinstance(value, list) else [value])]
    query = "&".join(f"{quote_plus(str(name))}={quote_plus(str(value))}" for name, value in pairs)
    target = written["url_path"]
    if query:
        target += ("&" if "?" in target else "?") + query
    kept = {name: value for name, value in request.headers if name.lower() in ("host", "authorization")}
    headers = kept | {name: str(value) for name, value in written["headers"].items()}
    return Request(written["method"], target, tuple(headers.items()), body or b"")


# === forms ===


# Who says in a page of its own that a parameter may stand several times.
REPEATS = {"gcp"}


def form(request, vendor):
    """As `urllib.parse` reads it. Of a name that stands twice some readers take the first and others the last; lists with gaps
    end at the gap for those who count."""
    request = plain(request)
    where, pairs = pairs_of(request)
    try:
        read = parse_qsl("&".join(pairs), keep_blank_values=True, errors="strict")
    except ValueError as cause:
        raise Refused(cause) from cause
    readings = [list(dict(taken).items()) for taken in (read, reversed(read))] if vendor not in REPEATS else [read]
    readings += [counted(pairs) for pairs in readings]
    return [with_pairs(request, where, [f"{quote_plus(n)}={quote_plus(v)}" for n, v in pairs]) for pairs in distinct(readings)]


def counted(pairs):
    """Without what a reader does not see that counts from the first number on."""
    names = {name for name, _ in pairs}

    def seen(name):
        parts = NUMBERED.fullmatch(name)
        if not parts:
            return True
        before, number = parts[1], int(parts[2])
        stands = {int(found[1]) for other in names if (found := re.fullmatch(rf"{re.escape(before)}\.([1-9]\d*|0)(\..*)?", other))}
        first = 0 if 0 in stands else 1
        plainly = not (parts[2].startswith("0") and len(parts[2]) > 1)
        return plainly and all(n in stands for n in range(first, number + 1)) and seen(before)
    return [(name, value) for name, value in pairs if seen(name)]


# === JSON ===


def jsons(request, _):
    """As `json.loads` reads it, and as readers do that take the first of two members of one name."""
    request = plain(request)
    body = request.body
    if body[:3] == b"\xef\xbb\xbf":
        body = body[3:]  # some refuse it
    readings = []
    for hook in (dict, lambda pairs: dict(reversed(pairs))):
        try:
            readings.append(json.loads(body, object_pairs_hook=hook))
        except (ValueError, UnicodeError) as cause:
            raise Refused(cause) from cause
    return [replace(request, body=json.dumps(reading).encode()) for reading in distinct(readings)]


def plain(request):
    """Codings undone, and nothing of charsets."""
    return replace(request, body=unzipped(request)).having("Content-Encoding", None)


def distinct(values):
    return [value for at, value in enumerate(values) if value not in values[:at]]
