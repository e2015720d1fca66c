#!/usr/bin/env python3
"""Takes into the kept corpus of these targets, or of all, what was found and reaches most of what the corpus does not:

    fuzz/keep.py [TARGET...]

A corpus holds so many inputs found, none of them long, since each is replayed by every run of the tests.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MOST = 40
LONGEST = 4096

here = Path(__file__).parent.resolve()


def said_by(*command):
    return subprocess.run(command, cwd=here, check=True, capture_output=True, text=True).stdout


def reached(binary, folders):
    """The features that each input reaches by itself, by the input's path."""
    with tempfile.TemporaryDirectory() as scratch:
        control, merged = Path(scratch, "control"), Path(scratch, "merged")
        merged.mkdir()
        # How often code is reached counts for the fuzzer, not for what is kept.
        options = ["-set_cover_merge=1", "-use_counters=0", f"-max_len={LONGEST}", f"-merge_control_file={control}"]
        said_by(binary, *options, merged, *folders)
        lines = control.read_text().splitlines()
    files = lines[2 : 2 + int(lines[0])]
    words = [line.split() for line in lines[2 + len(files) :]]
    return {Path(files[int(word[1])]): set(word[2:]) for word in words if word[0] == "FT"}


def keep(target, binary):
    kept, found = here / "../tests/fuzz_targets/corpus" / target, here / "found" / target
    reaches = reached(binary, [kept, found])
    known = set().union(*(features for path, features in reaches.items() if path.parent.samefile(kept)))
    candidates = [path for path in reaches if path.parent.samefile(found) and path.stat().st_size <= LONGEST]
    room = MOST - len(list(kept.glob("found_*")))
    taken = 0
    while candidates and taken < room:
        best = max(candidates, key=lambda path: (len(reaches[path] - known), -path.stat().st_size))
        if not reaches[best] - known:
            break
        known |= reaches[best]
        content = best.read_bytes()
        (kept / f"found_{hashlib.sha256(content).hexdigest()[:8]}").write_bytes(content)
        taken += 1
    print(f"{target:12} {taken:3} inputs taken, {len(known)} edges reached of {len(set().union(*reaches.values()))}")


said_by("cargo", "build", "--quiet", "--release")
built = Path(json.loads(said_by("cargo", "metadata", "--no-deps", "--format-version", "1"))["target_directory"])
host = said_by("rustc", "--print", "host-tuple").strip()
for name in sys.argv[1:] or sorted(os.listdir(here / "found")):
    keep(name, built / host / "release" / name)
