#!/usr/bin/env python3
"""Fills the option tables of the documentation from `perennial methods NAME`.

usage: docs/option_tables.py PERENNIAL            writes them anew
       docs/option_tables.py PERENNIAL --check    exits 1 and names the pages that are not what the binary says

A table stands between `<!-- options NAME PREFIX -->` and `<!-- end -->`: of the method NAME, the options whose names begin
with PREFIX, or with the prefix `shared` those that every method has, or with `changed` those whose defaults the method
changes.
"""

import pathlib
import re
import subprocess
import sys

DOCS = pathlib.Path(__file__).resolve().parent
BLOCK = re.compile(r"(<!-- options (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def options_of(perennial, method):
    """Name, default, as_released and help of each option; the columns are as wide as `methods` prints them."""
    out = subprocess.run([perennial, "methods", method], check=True, capture_output=True, text=True).stdout
    lines = out.split("\n\n", 1)[1].splitlines()[1:]
    return [(line[:28].strip(), line[29:53].strip(), line[54:76].strip(), line[77:].strip()) for line in lines]


def cell(text):
    return text.replace("|", "\\|")


def table(perennial, method, prefix):
    options = options_of(perennial, method)
    shared = dict((o[0], o[1]) for o in options_of(perennial, "joint"))
    if prefix == "shared":
        chosen = [o for o in options if o[0] in shared and o[0] != "learner"]
    elif prefix == "changed":
        chosen = [o for o in options if o[0] != "learner" and shared.get(o[0], o[1]) != o[1]]
    else:
        chosen = [o for o in options if o[0].startswith(prefix)]
    rows = [f"| `{n}` | {f'`{d}`' if d != '-' else ''} | {f'`{r}`' if r else ''} | {cell(h)} |" for n, d, r, h in chosen]
    return "\n".join(["| option | default | `as_released` | what it is |", "|---|---|---|---|", *rows, ""])


def main():
    perennial, check = sys.argv[1], "--check" in sys.argv[2:]
    stale = []
    for page in sorted(DOCS.rglob("*.md")):
        old = page.read_text(encoding="utf-8")
        new = BLOCK.sub(lambda m: m[1] + table(perennial, m[2], m[3]) + m[4], old)
        if new == old:
            continue
        stale.append(str(page.relative_to(DOCS.parent)))
        if not check:
            page.write_text(new, encoding="utf-8")
    if check and stale:
        sys.exit(f"not what {perennial} says: {', '.join(stale)}; run docs/option_tables.py {perennial}")
    print(f"{len(stale)} pages written" if not check else "the option tables are those of the binary")


if __name__ == "__main__":
    main()
