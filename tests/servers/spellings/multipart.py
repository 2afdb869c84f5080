"""Multipart bodies."""

import re
from dataclasses import replace

from .ways import way


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
