"""Verifies a history exported as JSON Lines, read from standard input (see docs/history.md).

verify_history.py                  a whole history, from its first entry
verify_history.py NUMBER HASH      what follows the entry of this number and hash
verify_history.py each             a filtered export: each entry by itself
"""
import hashlib, json, sys

each = sys.argv[1:] == ["each"]
number, previous = (int(sys.argv[1]), sys.argv[2]) if len(sys.argv) == 3 else (0, "0" * 64)
for line in sys.stdin.buffer:
    hashed, stated = line[:-76], line[-76:]
    entry = json.loads(line)
    if stated != b',"hash":"%s"}\n' % hashlib.sha256(hashed + b"}").hexdigest().encode():
        sys.exit(f"broken at entry {entry['number'] if each else number + 1}: it was altered")
    if not each and entry["number"] != number + 1:
        sys.exit(f"broken at entry {number + 1}: entry {entry['number']} stands in its place")
    if not each and entry["previous"] != previous:
        sys.exit(f"broken at entry {number + 1}: it was not written after entry {number}")
    number, previous = entry["number"], entry["hash"]
print(number, previous)
