"""Ways to spell a request: each changes one thing that some reader may read in another way, or that none should.

A way takes a random source and a request and gives another request, or None where it has nothing to change. None of them knows
what the change means: that is for the parsers to say that servers use.
"""

import gzip
import json
import re
from dataclasses import dataclass, replace
from urllib.parse import quote

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: tuple
    body: bytes

    def get(self, name):
        return next((value for own, value in self.headers if own.lower() == name), "")

    def having(self, name, value):
        """With one such header line; without any where the value is None."""
        others = tuple((own, text) for own, text in self.headers if own.lower() != name.lower())
        return replace(self, headers=others + (((name, value),) if value is not None else ()))

    @property
    def path(self):
        return self.target.split("?", 1)[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    def asking(self, query):
        # No target holds other letters; a body may.
        query = re.sub(r"[^!-~]", lambda letter: f"%{ord(letter[0]):02X}", query)
        return replace(self, target=f"{self.path}?{query}" if query else self.path)

    @property
    def is_form(self):
        return bool(self.body) and self.get("content-type").lower().startswith(FORM)

    def text(self):
        head = "".join(f"{name}: {value}\n" for name, value in self.headers)
        return f"{self.method} {self.target}\n{head}\n{self.body!r}"


WAYS = {}


def way(about):
    def keep(function):
        WAYS.setdefault(about, []).append(function)
        return function
    return keep


def spelled(random, request, about, times):
    """Some ways, one after the other. Returns the names of those that changed something, and the request."""
    ways = [function for name in about for function in WAYS[name]]
    used = []
    for function in random.sample(ways, min(len(ways), times * 4)):
        changed = function(random, request)
        if changed is not None and changed != request:
            request = changed
            used.append(function.__name__)
        if len(used) == times:
            break
    return used, request


# === parameters: a form or a query string ===


def pairs_of(request):
    """Where parameters stand, and the pairs as they are written."""
    if request.get("content-encoding"):
        return None, []
    if request.is_form:
        return "body", [pair for pair in request.body.decode("latin-1").strip().split("&") if pair]
    if request.query and not request.body:
        return "query", [pair for pair in request.query.split("&") if pair]
    return None, []


def with_pairs(request, where, pairs):
    text = "&".join(pairs)
    return replace(request, body=text.encode("latin-1")) if where == "body" else request.asking(text)


def parameters(change):
    """A way that changes the list of pairs."""
    def changed(random, request):
        where, pairs = pairs_of(request)
        if not pairs:
            return None
        pairs = change(random, list(pairs))
        return with_pairs(request, where, pairs) if pairs else None
    changed.__name__ = change.__name__
    return way("parameters")(changed)


NUMBERED = re.compile(r"(?P<before>.*?\.)(?P<number>\d+)(?P<after>(\..*)?)")


def numbered(pairs):
    return [at for at, pair in enumerate(pairs) if NUMBERED.fullmatch(pair.split("=")[0])]


@parameters
def in_another_order(random, pairs):
    return random.sample(pairs, len(pairs))


@parameters
def with_escapes(random, pairs):
    form = random.choice(["%{:02x}", "%{:02X}"])

    def escaped(text):
        parts = re.findall(r"%..|[^%]|%", text)
        return "".join(form.format(ord(part)) if len(part) == 1 and part.isalnum() and random.random() < .3 else part for part in parts)
    return ["=".join(escaped(part) for part in pair.split("=")) for pair in pairs]


@parameters
def plus_for_space(random, pairs):
    return [re.sub("%20", lambda _: random.choice(["+", "%20"]), pair) for pair in pairs]


@parameters
def with_nothing_between(random, pairs):
    pairs.insert(random.randrange(len(pairs) + 1), "")
    return ["", *pairs] if random.random() < .3 else [*pairs, "", ""]


@parameters
def once_more_the_same(random, pairs):
    pairs.insert(random.randrange(len(pairs) + 1), random.choice(pairs))
    return pairs


@parameters
def once_more_with_another_value(random, pairs):
    name = random.choice(pairs).split("=")[0]
    pairs.insert(random.randrange(len(pairs) + 1), f"{name}=other-1")
    return pairs


def renumbered(random, pairs, number):
    where = numbered(pairs)
    if not where:
        return None
    for at in where:
        name, _, value = pairs[at].partition("=")
        parts = NUMBERED.fullmatch(name)
        pairs[at] = f"{parts['before']}{number(int(parts['number']))}{parts['after']}={value}"
    return pairs


@parameters
def with_a_gap(random, pairs):
    from_here = random.choice([1, 2])
    return renumbered(random, pairs, lambda number: number + (number >= from_here) * random.choice([1]))


@parameters
def far_apart(random, pairs):
    return renumbered(random, pairs, lambda number: number * 1000)


@parameters
def from_nought(random, pairs):
    return renumbered(random, pairs, lambda number: number - 1)


@parameters
def with_leading_noughts(random, pairs):
    return renumbered(random, pairs, lambda number: f"{number:03}")


@parameters
def with_a_sign(random, pairs):
    return renumbered(random, pairs, lambda number: f"%2B{number}")


@parameters
def one_number_spelled_otherwise(random, pairs):
    where = numbered(pairs)
    if not where:
        return None
    at = random.choice(where)
    spelled = random.choice(["0{}", "{}.0", "%2B{}", "{}%20", "-{}", "{}x", "%EF%BC%91"])
    pairs[at: at + 1] = renumbered(random, [pairs[at]], spelled.format)
    return pairs


@parameters
def with_member(random, pairs):
    where = numbered(pairs)
    if not where or ".member." in pairs[where[0]]:
        return [pair.replace(".member.", ".", 1) for pair in pairs]
    return [NUMBERED.sub(r"\g<before>member.\g<number>\g<after>", pair, 1) if at in where else pair for at, pair in enumerate(pairs)]


@parameters
def one_more_at_the_end(random, pairs):
    where = numbered(pairs)
    if not where:
        return None
    name, _, _ = pairs[where[-1]].partition("=")
    parts = NUMBERED.fullmatch(name)
    more = int(parts["number"]) + random.choice([0, 1, 2])
    return [*pairs, f"{parts['before']}{more}{parts['after']}=other-2"]


@parameters
def a_list_as_one_value(random, pairs):
    where = numbered(pairs)
    if not where:
        return None
    name, _, value = pairs[where[0]].partition("=")
    return [*pairs, f"{NUMBERED.fullmatch(name)['before'][:-1]}={random.choice(['other-3', '', '%5B%22other-3%22%5D'])}"]


@parameters
def a_name_in_another_case(random, pairs):
    at = random.randrange(len(pairs))
    name, _, value = pairs[at].partition("=")
    pairs[at] = f"{random.choice([str.lower, str.upper, str.swapcase])(name)}={value}"
    return pairs


@parameters
def a_name_with_space(random, pairs):
    at = random.randrange(len(pairs))
    pairs[at] = random.choice(["+{}", "%20{}", "%00{}"]).format(pairs[at])
    return pairs


@parameters
def semicolons_between(random, pairs):
    at = random.randrange(len(pairs))
    pairs[at: at + 2] = [";".join(pairs[at: at + 2])]
    return pairs


@parameters
def a_broken_escape(random, pairs):
    return [*pairs, random.choice(["x=%zz", "x=%", "%=1", "x=%c3", "%ff=1", "=", "=1", "x"])]


@parameters
def space_at_the_end(random, pairs):
    return [*pairs[:-1], pairs[-1] + random.choice(["%20", "+", "%0A"])]


@way("form")
def some_pairs_in_the_query(random, request):
    where, pairs = pairs_of(request)
    if where != "body" or request.query:
        return None
    moved = set(random.sample(range(len(pairs)), random.randint(1, len(pairs))))
    kept = [pair for at, pair in enumerate(pairs) if at not in moved]
    return with_pairs(request, "body", kept).asking("&".join(pairs[at] for at in sorted(moved)))


@way("form")
def one_pair_in_both(random, request):
    where, pairs = pairs_of(request)
    if where != "body" or request.query:
        return None
    name, _, value = random.choice(pairs).partition("=")
    return request.asking(f"{name}={random.choice([value, 'other-4'])}")


@way("form")
def all_in_the_query_by_get(random, request):
    where, pairs = pairs_of(request)
    if where != "body" or request.query:
        return None
    return replace(request.asking("&".join(pairs)), method="GET", body=b"").having("Content-Type", None)


@way("form")
def a_line_end_behind_it(random, request):
    return replace(request, body=request.body + random.choice([b"\n", b"\r\n", b" "])) if pairs_of(request)[0] == "body" else None


# === the head ===


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


# === the path ===


@way("path")
def a_slash_at_the_end(random, request):
    return replace(request, target=request.target.replace(request.path, request.path + "/", 1)) if request.path != "/" else None


@way("path")
def an_escaped_letter(random, request):
    letters = [at for at, letter in enumerate(request.path) if letter.isalnum() and "%" not in request.path[max(0, at - 2): at]]
    if not letters:
        return None
    at = random.choice(letters)
    path = f"{request.path[:at]}%{ord(request.path[at]):02X}{request.path[at + 1:]}"
    return replace(request, target=path + request.target[len(request.path):])


# === JSON ===


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


# === XML ===


def markup(change):
    def changed(random, request):
        if request.get("content-encoding") or not request.body.lstrip().startswith(b"<"):
            return None
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            return None
        text = change(random, text)
        return None if text is None else replace(request, body=text.encode())
    changed.__name__ = change.__name__
    return way("xml")(changed)


TEXT = re.compile(r">([^<>&]+)</")


def some_text(random, text, spell):
    found = list(TEXT.finditer(text))
    if not found:
        return None
    one = random.choice(found)
    return text[: one.start(1)] + spell(one[1]) + text[one.end(1):]


@markup
def text_as_cdata(random, text):
    return some_text(random, text, lambda inner: f"<![CDATA[{inner}]]>")


@markup
def half_of_a_text_as_cdata(random, text):
    return some_text(random, text, lambda inner: f"{inner[:1]}<![CDATA[{inner[1:]}]]>")


@markup
def letters_by_number(random, text):
    form = random.choice(["&#{};", "&#x{:x};"])
    return some_text(random, text, lambda inner: form.format(ord(inner[0])) + inner[1:])


@markup
def a_comment_in_a_text(random, text):
    return some_text(random, text, lambda inner: f"{inner[:1]}<!-- {inner} -->{inner[1:]}")


@markup
def space_around_a_text(random, text):
    return some_text(random, text, lambda inner: random.choice([" {}", "{} ", "\n{}\n"]).format(inner))


@markup
def space_between_elements(random, text):
    return re.sub(r"(?<=>)(?=<)", lambda _: random.choice(["", "\n", " "]), text)


@markup
def a_declaration(random, text):
    declared = random.choice(['<?xml version="1.0"?>', "<?xml version='1.0' encoding='utf-8'?>", "<?xml version='1.0' encoding='US-ASCII'?>"])
    return declared + text if not text.startswith("<?") else None


@markup
def a_prefix(random, text):
    if "xmlns" in text or "<?" in text or "CDATA" in text or "<!--" in text:
        return None
    text = re.sub(r"<(/?)(\w)", r"<\1n:\2", text)
    return re.sub(r"<(n:\w+)", r'<\1 xmlns:n="http://s3.amazonaws.com/doc/2006-03-01/"', text, count=1)


@markup
def a_comment_between(random, text):
    at = random.choice([match.end() for match in re.finditer(r"<\w[^>]*[^/]>", text)] or [0])
    return text[:at] + "<!-- <Key>other-8</Key> -->" + text[at:] if at else None


@markup
def an_element_twice(random, text):
    found = list(re.finditer(r"<(\w+)>([^<>]*)</\1>", text))
    if not found:
        return None
    one = random.choice(found)
    return text[: one.end()] + f"<{one[1]}>{random.choice([one[2], 'other-9'])}</{one[1]}>" + text[one.end():]


@markup
def an_element_in_another_case(random, text):
    found = list(re.finditer(r"<(\w+)>([^<>]*)</\1>", text))
    if not found:
        return None
    one = random.choice(found)
    name = random.choice([str.lower, str.upper])(one[1])
    return text[: one.start()] + f"<{name}>{one[2]}</{name}>" + text[one.end():]


# === multipart ===


def parts(change):
    """A way that changes the list of parts."""
    def changed(random, request):
        boundary = re.search(r'boundary="?([^";]+)', request.get("content-type"))
        if not boundary or request.get("content-encoding"):
            return None
        first, *found, last = request.body.decode().split("--" + boundary[1])
        found = change(random, found)
        if found is None:
            return None
        return replace(request, body=("--" + boundary[1]).join([first, *found, last]).encode())
    changed.__name__ = change.__name__
    return way("multipart")(changed)


@parts
def parts_in_another_order(random, found):
    return random.sample(found, len(found))


@parts
def a_part_twice(random, found):
    return [*found, random.choice(found)]


@parts
def names_of_parts_in_another_case(random, found):
    return [re.sub(r"(?m)^[\w-]+(?=:)", lambda name: random.choice([str.lower, str.upper])(name[0]), part) for part in found]


@parts
def lines_that_end_plainly(random, found):
    return [part.replace("\r\n", "\n") for part in found]


@parts
def an_escaped_letter_in_a_part(random, found):
    return [re.sub(r"(?<=/box/)\w", lambda letter: f"%{ord(letter[0]):02X}", part) if random.random() < .6 else part for part in found]


@parts
def a_part_without_its_id(random, found):
    return [re.sub(r"(?im)^content-id: .*\r?\n", "", part) if random.random() < .5 else part for part in found]


@parts
def parts_of_one_id(random, found):
    return [re.sub(r"(?im)^content-id: .*?(?=\r?$)", "Content-ID: 0", part) for part in found]


@parts
def a_method_in_small_letters(random, found):
    return [re.sub(r"(?m)^DELETE ", "delete ", part) if random.random() < .5 else part for part in found]


@parts
def two_slashes_in_a_part(random, found):
    return [re.sub(r"(?<=/box)/", "//", part) if random.random() < .5 else part for part in found]


@parts
def space_behind_a_boundary(random, found):
    return [random.choice([" ", "\t"]) + part for part in found]


@way("multipart")
def another_boundary(random, request):
    boundary = re.search(r'boundary="?([^";]+)', request.get("content-type"))
    if not boundary or request.get("content-encoding"):
        return None
    name = random.choice(["b", "batch_1", "a'()+_,-./:=?z"])
    spelled = name if name.isidentifier() and random.random() < .5 else f'"{name}"'
    body = request.body.replace(boundary[1].encode(), name.encode())
    return replace(request, body=body).having("Content-Type", f"multipart/mixed; boundary={spelled}")


@way("multipart")
def words_around_the_parts(random, request):
    if request.get("content-encoding"):
        return None
    return replace(request, body=random.choice([b"before\r\n", b"\r\n", b""]) + request.body + random.choice([b"behind", b"\r\n", b""]))
