"""The head: fields, media type, content coding."""

import gzip
import re
from dataclasses import replace

from .ways import FORM, way


@way("head")
def media_type_in_another_case(random, request):
    value = request.get("content-type")
    return request.having("Content-Type", random.choice([value.upper(), value.title()])) if value and "boundary" not in value else None


@way("head")
def media_type_with_charset(random, request):
    value = request.get("content-type")
    more = random.choice(["; charset=utf-8", ";charset=UTF-8", "; charset=\"utf-8\"", " ; x=y", ";"])
    return request.having("Content-Type", value + more) if value and ";" not in value else None


@way("head")
def names_in_another_case(random, request):
    return replace(request, headers=tuple((random.choice([str.lower, str.upper])(name), value) for name, value in request.headers))


@way("head")
def without_media_type(random, request):
    return request.having("Content-Type", None) if request.get("content-type") else None


@way("head")
def another_media_type(random, request):
    if not request.body:
        return None
    return request.having("Content-Type", random.choice([FORM, "application/json", "text/plain", "application/xml"]))


@way("head")
def space_around_values(random, request):
    return replace(request, headers=tuple((name, f" {value}\t") for name, value in request.headers))


@way("head")
def another_target_in_a_header(random, request):
    if not request.get("x-amz-target"):
        return None
    named = re.sub(r"(?<=\.)\w+", random.choice(["ListThings", "DeleteThings"]), request.get("x-amz-target"))
    return replace(request, headers=(*request.headers, ("X-Amz-Target", named)))


@way("head")
def a_target_in_another_case(random, request):
    target = request.get("x-amz-target")
    return request.having("X-Amz-Target", random.choice([target.lower(), target.upper()])) if target else None


@way("head")
def a_coded_body(random, request):
    if not request.body or request.get("content-encoding"):
        return None
    coding = random.choice(["gzip", "gzip", "GZIP"])
    return replace(request, body=gzip.compress(request.body, 1, mtime=0)).having("Content-Encoding", coding)
