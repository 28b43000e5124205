"""The table of what clients can, in docs/compatibility.md.

Each suite of a language other than Go owns the rows that begin with its name there,
below a marker. They are compared with what the tests saw; UPDATE=1 writes them.
"""

import os

LANGUAGE = "Python"
MARKER = "<!-- clients of other languages -->"
FILE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "compatibility.md")
FEATURES = (
    "text", "streamed", "tools", "parallel tools", "tools streamed", "image", "structured", "reasoning", "usage", "mask", "mask streamed", "declined", "withheld",
)  # fmt: skip

_seen = {}  # (client, provider) to {feature: "yes", "refused" or "no"}


def see(client, provider, feature, outcome):
    _seen.setdefault((client, provider), {})[feature] = outcome


def check():
    """Print the rows of the clients that were tried, and compare them with the document."""
    global _seen
    seen, _seen = _seen, {}
    if not seen:
        return
    rows = ["| " + " | ".join([LANGUAGE, client, provider, *(cells.get(f, "–") for f in FEATURES)]) + " |" for (client, provider), cells in seen.items()]
    print("", *_head(), *sorted(rows), sep="\n")
    with open(FILE, encoding="utf-8") as f:
        above, marker, below = f.read().partition(MARKER)
    if not marker:
        raise AssertionError(f"docs/compatibility.md lacks the marker {MARKER}")
    clients = tuple(f"| {LANGUAGE} | {client} |" for client, _ in seen)
    intro, _, _ = below.partition("\n| ")  # what is written by hand
    lines = below.split("\n")
    written = [line for line in lines if line.startswith(clients)]
    if sorted(rows) == written:
        return
    if os.environ.get("UPDATE") != "1":
        raise AssertionError("docs/compatibility.md says something else; UPDATE=1 writes what the tests saw:\n" + "\n".join(sorted(set(rows) ^ set(written))))
    others = [line for line in lines if line.startswith("| ") and not line.startswith((*clients, "| language |"))]
    with open(FILE, "w", encoding="utf-8") as f:
        f.write("\n".join([above + marker + intro.rstrip("\n"), "", *_head(), *sorted(rows + others), ""]))


def _head():
    return ["| language | client | provider | " + " | ".join(FEATURES) + " |", "|" + "---|" * (len(FEATURES) + 3)]
