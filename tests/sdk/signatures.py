"""Recomputes the signatures that the vendors' SDKs put on requests, from the request alone, as the vendor would.

Written from the vendors' signing guides, not with the SDKs' own signers: a request that one of them garbled and signed
again would otherwise pass. Each function returns True when the signature belongs to this very request.
"""

import base64
import hashlib
import hmac
import re
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote, unquote


def _hmac(key, text, digest=hashlib.sha256):
    return hmac.new(key, text.encode(), digest).digest()


def _sha256(data):
    return hashlib.sha256(data).hexdigest()


def huawei(message, secret_key):
    """SDK-HMAC-SHA256 ("API signing guide"): method, path with a slash at the end, sorted query, the named headers, body."""
    said = re.fullmatch(r"SDK-HMAC-SHA256 Access=(\S+), SignedHeaders=(\S+), Signature=(\w+)", message.header("authorization"))
    path, _, query = message.path.partition("?")
    path = "/".join(quote(unquote(part), safe="~") for part in path.split("/"))
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    canonical = "\n".join([
        message.method,
        path if path.endswith("/") else path + "/",
        "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in pairs),
        "".join(f"{name}:{message.header(name)}\n" for name in said[2].split(";")),
        said[2],
        message.header("x-sdk-content-sha256") or _sha256(message.body),
    ])
    to_sign = "\n".join(["SDK-HMAC-SHA256", message.header("x-sdk-date"), _sha256(canonical.encode())])
    return hmac.compare_digest(_hmac(secret_key.encode(), to_sign).hex(), said[3])


def tencent_v3(message, secret_key):
    """TC3-HMAC-SHA256 ("Signature Method v3"): method, path, query, content-type and host, body; not the action."""
    said = re.fullmatch(r"TC3-HMAC-SHA256 Credential=[^/]+/([^/]+)/([^/]+)/tc3_request, SignedHeaders=(\S+), Signature=(\w+)",
                        message.header("authorization"))
    date, service, names, signature = said.groups()
    path, _, query = message.path.partition("?")
    payload = b"UNSIGNED-PAYLOAD" if message.header("x-tc-content-sha256") == "UNSIGNED-PAYLOAD" else message.body
    canonical = "\n".join([
        message.method, path, query, "".join(f"{name}:{message.header(name)}\n" for name in names.split(";")), names, _sha256(payload)])
    stamp = message.header("x-tc-timestamp")
    assert date == datetime.fromtimestamp(int(stamp), timezone.utc).strftime("%Y-%m-%d")
    to_sign = "\n".join(["TC3-HMAC-SHA256", stamp, f"{date}/{service}/tc3_request", _sha256(canonical.encode())])
    key = _hmac(_hmac(_hmac(b"TC3" + secret_key.encode(), date), service), "tc3_request")
    return hmac.compare_digest(_hmac(key, to_sign).hex(), signature)


def tencent_v1(message, secret_key):
    """HmacSHA1 or HmacSHA256 over method, host, path and all parameters in order ("Signature Method v1"; the legacy API too)."""
    path, _, query = message.path.partition("?")
    pairs = dict(parse_qsl(message.body.decode() if message.method == "POST" else query, keep_blank_values=True))
    signature = pairs.pop("Signature")
    parameters = "&".join(f"{k}={v}" for k, v in sorted((k.replace("_", "."), v) for k, v in pairs.items()))
    digest = {"HmacSHA256": hashlib.sha256, "HmacSHA1": hashlib.sha1}[pairs["SignatureMethod"]]
    signed = _hmac(secret_key.encode(), f"{message.method}{message.header('host')}{path}?{parameters}", digest)
    return hmac.compare_digest(base64.b64encode(signed).decode(), signature)
