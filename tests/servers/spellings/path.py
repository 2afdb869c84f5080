"""The path."""

from dataclasses import replace

from .ways import way


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
