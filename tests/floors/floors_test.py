#!/usr/bin/env python3
"""The floors of the house, checked from the include lines.

usage: floors_test.py ROOT        checks edge/, perennial/ and apps/ under ROOT, prints every offending line, exits 1 if any
       floors_test.py --self-test plants one violation of each rule and expects it to be found

Rules: a room includes itself and rooms on lower floors; libtorch's headers are named one by one, never by the
umbrella; headers include at most ATen/core/Tensor.h of them (c10 is free); no file is over 600 lines. The public headers of
a room (PUBLIC in its CMakeLists.txt), which are installed, include of ours only public ones.
edge/ lies below all rooms and includes nothing of theirs and no libtorch.
"""
import pathlib
import re
import sys
import tempfile

FLOORS = [["base"], ["io", "report"], ["data"], ["nn"], ["memory"], ["query", "adapt"], ["learn"], ["tasks"], ["run"],
          ["serve"], ["apps"]]
FLOOR_OF = {"edge": -1} | {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
UMBRELLAS = {"torch/torch.h", "torch/all.h", "torch/extension.h", "ATen/ATen.h", "torch/types.h", "ATen/Functions.h"}
ALLOWED_IN_HEADERS = {"ATen/core/Tensor.h"}
MAX_LINES = 600
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCES = {".h", ".hpp", ".cpp", ".cc", ".cu", ".cuh", ".inc"}


def room_of(parts):
    """apps/x.cpp -> apps; edge/x/y.h -> edge; perennial/io/x.h -> io; perennial/x.h -> None."""
    if parts[0] in ("apps", "edge"):
        return parts[0]
    return parts[1] if parts[0] == "perennial" and len(parts) > 2 else None


def include_problem(room, is_header, target):
    parts = target.split("/")
    if parts[0] in ("perennial", "apps", "edge"):
        other = room_of(parts)
        if other not in FLOOR_OF:
            return f"no room of the house: {target}"
        if other != room and FLOOR_OF[other] >= FLOOR_OF[room]:
            return f"{room} (floor {FLOOR_OF[room]}) may not include {other} (floor {FLOOR_OF[other]})"
    if room == "edge" and parts[0] in ("ATen", "torch", "c10"):
        return f"the edge runtime includes no libtorch, not {target}"
    if target in UMBRELLAS:
        return f"umbrella header {target}: include what is used"
    if is_header and parts[0] in ("ATen", "torch") and target not in ALLOWED_IN_HEADERS:
        return f"a public header includes at most {', '.join(ALLOWED_IN_HEADERS)} of libtorch, not {target}"
    return None


def too_long(relative, lines):
    return [f"{relative}:{MAX_LINES + 1}: {len(lines)} lines, at most {MAX_LINES}"] if len(lines) > MAX_LINES else []


def check_file(root, path):
    relative = path.relative_to(root)
    room = room_of(relative.parts)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if room not in FLOOR_OF:
        yield f"{relative}:1: lies in no room of the house"
        return
    yield from too_long(relative, lines)
    is_public_header = relative.parts[0] == "perennial" and path.suffix in (".h", ".hpp", ".cuh")
    for number, line in enumerate(lines, 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, target = match.groups()
        problem = include_problem(room, is_public_header, target)
        if not problem and quote == '"' and not target.startswith(("perennial/", "apps/", "edge/")):
            problem = f"include from the root, not {target}"
        if problem:
            yield f"{relative}:{number}: {problem}\n    {line.strip()}"


def files_of(root, tops, suffixes):
    return [p for top in tops for p in sorted((root / top).rglob("*")) if p.suffix in suffixes]


PUBLIC = re.compile(r"PUBLIC(?: FILE_SET HEADERS .*?FILES)?\s((?:\s*[\w./]+\.h(?:pp)?)+)", re.S)


def public_headers(root):
    """What is installed, by the lists of the rooms."""
    lists = [p for top in ("edge", "perennial") for p in sorted((root / top).rglob("CMakeLists.txt"))]
    edge = {name for name in ("edge/perennial_edge.h", "edge/perennial_edge.hpp") if (root / name).is_file()}
    return edge | {f"{p.parent.relative_to(root)}/{name}" for p in lists for found in PUBLIC.findall(p.read_text()) for name in found.split()}


def check_public(root):
    installed = public_headers(root)
    for name in sorted(installed):
        if not (root / name).is_file():
            yield f"{name}:1: is to be installed, and is not there"
            continue
        for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match.group(2).startswith(("perennial/", "edge/")) and match.group(2) not in installed:
                yield f"{name}:{number}: a public header may not include {match.group(2)}, which is not one"
    for path in files_of(root, ("docs", "examples"), {".md", ".cpp", ".h"}) if installed else []:
        for named in sorted(set(re.findall(r"(?:perennial|edge)/[\w/]+\.h\b", path.read_text(encoding="utf-8"))) - installed):
            yield f"{path.relative_to(root)}:1: names {named}, which is no public header"


def check(root):
    files = files_of(root, ("edge", "perennial", "apps"), SOURCES)
    problems = [problem for path in files for problem in check_file(root, path)]
    problems += check_public(root)
    for path in files_of(root, ("tests", "bench", "fuzz", "examples", "scripts", "cmake"), SOURCES | {".py", ".cmake"}):
        problems += too_long(path.relative_to(root), path.read_text(encoding="utf-8", errors="replace").splitlines())
    return len(files), problems


PLANTED = {  # file: (text, words that the report must hold; none: no problem)
    "perennial/base/a.cpp": ('#include "perennial/io/b.h"\n', "base (floor 0) may not include io"),
    "perennial/io/c.cpp": ('#include "perennial/run/d.h"\n', "io (floor 1) may not include run"),
    "perennial/query/e.h": ('#include "perennial/adapt/f.h"\n', "query (floor 5) may not include adapt"),
    "perennial/learn/g.cpp": ('  #  include <torch/torch.h>\n', "umbrella header torch/torch.h"),
    "perennial/nn/h.h": ("#pragma once\n\n#include <ATen/ops/add.h>\n", "h.h:3: a public header includes at most"),
    "perennial/nn/i.h": ("#include <torch/csrc/autograd/function.h>\n", "not torch/csrc/autograd/function.h"),
    "perennial/data/j.cpp": ("\n" * 601, "601 lines"),
    "tests/data/j_test.cpp": ("\n" * 601, "j_test.cpp:601: 601 lines"),
    "perennial/run/k.cpp": ('#include "apps/l.h"\n', "run (floor 8) may not include apps"),
    "edge/u.cpp": ('#include "perennial/base/v.h"\n', "edge (floor -1) may not include base"),
    "edge/w/x.h": ("#include <ATen/core/Tensor.h>\n", "the edge runtime includes no libtorch"),
    "perennial/tasks/y.cpp": ('#include "edge/z.h"\n', None),
    "perennial/attic/m.cpp": ("\n", "lies in no room"),
    "perennial/io/n.cpp": ('#include "image.h"\n', "include from the root"),
    "apps/o.cpp": ('#include "perennial/run/p.h"\n#include "perennial/base/q.h"\n', None),
    "perennial/learn/r.cpp": ('#include "perennial/learn/r.h"\n#include <ATen/ops/add.h>\n// #include "perennial/run/s.h"\n',
                              None),
    "perennial/memory/CMakeLists.txt": ("perennial_room(memory SOURCES a.cpp\n  PUBLIC\n    a1.h a2.h b/gone.h\n  DEPENDS x)\n",
                                        "memory/b/gone.h:1: is to be installed"),
    "perennial/memory/a2.h": ('#include "perennial/memory/a3.h"\n', "a2.h:1: a public header may not include perennial/memory/a3.h"),
    "perennial/nn/t.h": ("#include <ATen/core/Tensor.h>\n#include <c10/core/Device.h>\n", None),
}
BESIDE = {"perennial/memory/a2.h": ("CMakeLists.txt", "perennial_room(memory SOURCES a.cpp\n  PUBLIC a2.h)\n")}


def self_test():
    failed = 0
    for name, (text, expected) in PLANTED.items():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True)
            path.write_text(text)
            if name in BESIDE:
                (path.parent / BESIDE[name][0]).write_text(BESIDE[name][1])
            found = "\n".join(check(pathlib.Path(folder))[1])
        if (expected is None and found) or (expected is not None and expected not in found):
            print(f"self-test: {name}: expected {expected!r}, found {found!r}")
            failed += 1
    print(f"self-test: {len(PLANTED) - failed} of {len(PLANTED)} planted files judged rightly")
    return failed


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(1 if self_test() else 0)
    count, problems = check(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(problems) if problems else f"{count} files keep to the floors")
    sys.exit(1 if problems or count == 0 else 0)


if __name__ == "__main__":
    main()
