"""JSON."""

import json
import re
from dataclasses import replace
from urllib.parse import quote

from .ways import way


def is_json(request):
    return not request.get("content-encoding") and request.body.lstrip()[:1] in (b"{", b"[")


def tree(request):
    """Members as lists of pairs, so that a name may stand twice."""
    try:
        return json.loads(request.body, object_pairs_hook=Members)
    except ValueError:
        return None


class Members(list):
    """The members of an object."""


def written(value, random, escapes=0, space=0):
    def text(string):
        plain = json.dumps(string, ensure_ascii=random.random() < .5)
        if not escapes:
            return plain
        parts = re.findall(r"\\u....|\\.|[^\\]", plain[1:-1])
        escaped = (f"\\u{ord(p):04x}" if len(p) == 1 and p.isascii() and random.random() < escapes else p for p in parts)
        return '"' + "".join(escaped) + '"'

    def gap():
        return random.choice([" ", "\n", "\t", "\r\n", ""]) if space else ""

    def write(value):
        match value:
            case Members():
                inner = ",".join(f"{gap()}{text(name)}{gap()}:{gap()}{write(member)}{gap()}" for name, member in value)
                return "{" + inner + "}"
            case list():
                return "[" + ",".join(f"{gap()}{write(element)}{gap()}" for element in value) + "]"
            case str():
                return text(value)
            case _:
                return json.dumps(value)
    return gap() + write(value) + gap()


def objects(value):
    """Every object in a tree, the root first."""
    if isinstance(value, Members):
        yield value
        value = [member for _, member in value]
    if isinstance(value, list):
        for inner in value:
            yield from objects(inner)


def members(change):
    """A way that changes the tree in place, or gives how it is to be written."""
    def changed(random, request):
        root = tree(request) if is_json(request) else None
        if root is None:
            return None
        how = change(random, root)
        return None if how is None else replace(request, body=written(root, random, **how).encode())
    changed.__name__ = change.__name__
    return way("json")(changed)


@members
def json_with_space(random, root):
    return {"space": 1}


@members
def json_with_escapes(random, root):
    return {"escapes": .4}


def some_object(random, root):
    found = [members for members in objects(root) if members]
    return random.choice(found[:1] * 3 + found) if found else None


@members
def members_in_another_order(random, root):
    for members in objects(root):
        random.shuffle(members)
    return {}


@members
def a_member_twice(random, root):
    if (members := some_object(random, root)) is None:
        return None
    name, value = random.choice(members)
    other = random.choice([value, ["other-5"], "other-5", [], None])
    members.insert(random.choice([0, len(members)]), (name, other))
    return {"escapes": random.choice([0, .4])}


@members
def a_member_in_another_case(random, root):
    if (members := some_object(random, root)) is None:
        return None
    at = random.randrange(len(members))
    name, value = members[at]
    other = random.choice([str.lower, str.upper, str.swapcase])(name)
    if random.random() < .5:
        members[at] = other, value
    else:
        members.insert(random.randrange(len(members) + 1), (other, random.choice([value, ["other-6"]])))
    return {}


@members
def a_member_more(random, root):
    if (members := some_object(random, root)) is None:
        return None
    members.insert(random.randrange(len(members) + 1), ("x-nobody-knows", random.choice([["other-7"], 1])))
    return {}


@members
def a_list_that_is_none(random, root):
    lists = [(members, at) for members in objects(root) for at, (_, value) in enumerate(members)
             if isinstance(value, list) and not isinstance(value, Members) and value]
    if not lists:
        return None
    members, at = random.choice(lists)
    name, value = members[at]
    members[at] = name, random.choice([value[0], None, Members((str(n), element) for n, element in enumerate(value))])
    return {}


@way("json")
def a_byte_order_mark(random, request):
    return replace(request, body=b"\xef\xbb\xbf" + request.body) if is_json(request) else None


@way("json")
def something_behind_it(random, request):
    return replace(request, body=request.body + random.choice([b"{}", b"x", b"\0", b"//", b"\n\n"])) if is_json(request) else None


@way("json")
def wide_letters(random, request):
    if not is_json(request):
        return None
    code = random.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-8"])
    return replace(request, body=request.body.decode("utf-8", "replace").encode(code))


@way("json")
def an_action_in_the_query(random, request):
    if not is_json(request) or request.query:
        return None
    return request.asking(quote(random.choice(["Action=DeleteThings", "Action=" + request.get("x-amz-target").rsplit(".")[-1], "x=1"]), "=&"))
