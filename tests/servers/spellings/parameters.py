"""Parameters: a form or a query string."""

import re
from dataclasses import replace

from .ways import way


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
