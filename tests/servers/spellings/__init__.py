"""Ways to spell a request: each changes one thing that some reader may read in another way, or that none should.

A way takes a random source and a request and gives another request, or None where it has nothing to change. None of them knows
what the change means: that is for the parsers to say that servers use.
"""

from . import head, jsons, markup, multipart, parameters, path  # each adds its ways
from .parameters import pairs_of, with_pairs
from .ways import WAYS, Request

__all__ = ["Request", "pairs_of", "spelled", "with_pairs"]


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
