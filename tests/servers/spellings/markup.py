"""XML."""

import re
from dataclasses import replace

from .ways import way


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
