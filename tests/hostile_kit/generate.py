#!/usr/bin/env python3
"""Writes the kit: one small file for each fault, always the same bytes. Run it after a change here, and commit both."""

import hashlib
import json
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent


def case(name, reader, expect, what, body):
    body = body.encode() if isinstance(body, str) else body
    header = f"what: {what}\nreader: {reader}\nexpect: {expect}\n\n".encode()
    (HERE / f"{reader}_{name}.input").write_bytes(header + body)


def entry(name, data=b"", deflated=False, **lie):
    name = name.encode() if isinstance(name, str) else name
    packed = zlib.compressobj(6, zlib.DEFLATED, -15) if deflated else None
    stored = packed.compress(data) + packed.flush() if packed else data
    told = dict(name=name, local_name=name, method=8 if deflated else 0, flags=1 << 11, crc=zlib.crc32(data), stored=stored,
                size=len(data), attributes=0, listed=True, before=b"", after=b"", extra=b"", note=b"")
    told.update(lie)
    return told


def archive(*entries, count=None, comment=b"", tail=b"", head=b""):
    out, directory, listed = head, b"", 0
    for e in entries:
        out += e["before"]
        fields = struct.pack("<HHHHIII", e["flags"], e["method"], 0, 33, e["crc"], len(e["stored"]), e["size"])
        offset = len(out)
        out += b"PK\x03\x04\x14\0" + fields + struct.pack("<HH", len(e["local_name"]), 0) + e["local_name"]
        out += e["stored"] + e["after"]
        if e["listed"]:
            listed += 1
            lengths = struct.pack("<HHH", len(e["name"]), len(e["extra"]), len(e["note"]))
            directory += b"PK\x01\x02\x14\x03\x14\0" + fields + lengths
            directory += bytes(4) + struct.pack("<II", e["attributes"], offset) + e["name"] + e["extra"] + e["note"]
    listed = listed if count is None else count
    end = struct.pack("<4x2H2IH", listed, listed, len(directory), len(out), len(comment))
    return out + directory + b"PK\x05\x06" + end + comment + tail


def archives():
    report = entry("report.txt", b"The windscreen is cracked.")
    add = lambda name, expect, what, body: case(name, "archive", expect, what, body)
    add("good", "none", "nothing", archive(report, entry("bill.csv", b";" * 500, deflated=True)))
    names = [("empty", ""), ("absolute", "/etc/passwd"), ("drive", "C:/x"), ("parent", "../x"), ("inner_parent", "a/../../x"),
             ("backslash", "a\\..\\x"), ("stream", "x:stream"), ("device", "NUL"), ("device_ending", "com1.txt"),
             ("dot_end", "name."), ("space_end", "name "), ("override", "fdp\u202eexe.txt"), ("line_break", "line\nbreak"),
             ("nul", "nul\0byte"), ("long", "n" * 256), ("deep", "a/" * 64 + "a")]
    for name, path in names:
        add(f"name_{name}", "hostile-name", f"an entry is named {path[:40]!r}", archive(report, entry(path, b"x")))
    for name, one, other in [("twice", "a", "a"), ("case", "a.txt", "A.TXT"), ("nfc", "\u00e9", "e\u0301"), ("file_folder", "a", "a/b")]:
        add(f"names_{name}", "inconsistent-archive", f"the names {one!r} and {other!r} meet", archive(entry(one), entry(other)))
    lie = lambda **lies: entry("report.txt", b"The windscreen is cracked.", **lies)
    add("link", "unsupported-archive", "an entry is a symbolic link", archive(lie(attributes=0o120777 << 16)))
    add("encrypted", "unsupported-archive", "an entry is encrypted", archive(lie(flags=1 << 11 | 1)))
    add("method", "unsupported-archive", "an entry is compressed with method 12", archive(lie(method=12)))
    add("comment", "unsupported-archive", "the archive has a comment", archive(report, comment=b"hello"))
    add("extras", "unsupported-archive", "an entry has 17 extra fields", archive(lie(extra=b"\xfe\xca\0\0" * 17)))
    add("note", "unsupported-archive", "an entry has a comment of 513 bytes", archive(lie(note=b"!" * 513)))
    add("crc", "altered", "the CRC is another", archive(lie(crc=7)))
    add("local_name", "inconsistent-archive", "the local header has another name", archive(lie(local_name=b"other.text")))
    add("size", "inconsistent-archive", "the declared size is too small", archive(lie(size=3)))
    add("hidden", "inconsistent-archive", "an entry is not in the directory", archive(report, entry("x", b"?", listed=False)))
    add("count", "inconsistent-archive", "the end record counts an entry too many", archive(report, count=2))
    add("before", "inconsistent-archive", "bytes stand before the first entry", archive(lie(before=b"#!/bin/sh\n")))
    add("after", "inconsistent-archive", "bytes stand after the end", archive(report, tail=b"after"))
    add("entries", "too-many-entries", "65 entries, where 64 are allowed", archive(*[entry(str(i)) for i in range(65)]))
    add("bomb", "inflated-too-large", "2 MiB of zeros", archive(entry("bomb", bytes(2 << 20), deflated=True)))
    add("text", "not-an-archive", "a letter", "Dear colleague, the file is attached.")
    add("cut", "truncated", "the last byte is missing", archive(report)[:-1])


ID = "019cc2f3-1c40-7a10-8f63-5b1f0c9d2e77"


def package(claim=None, manifest=None, documents=None, listed=None):
    report = b"Left knee: healed.\n"
    documents = {"documents/ON-INS/D-7/report.txt": report} if documents is None else documents
    told = {"claim": {"id": "ON-INS/C-1"}, "documents": [{"id": "ON-INS/D-7", "name": "report.txt"}]}
    told.update(claim or {})
    entries = dict(documents)
    entries["claim.json"] = json.dumps(told).encode()
    listing = [{"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for path, data in entries.items()]
    (listed or (lambda _: None))(listing)
    says = {"format_version": 1, "package": {"id": ID, "kind": "claim", "from": "ON-INS", "to": "IMEX", "claim": "ON-INS/C-1",
            "sequence": 7, "applied_sequence": 0, "key_version": 1, "created_at": "2026-03-02T14:30:00Z", "created_by": "dana"}, "entries": listing}
    (manifest or (lambda _: None))(says)
    entries["manifest.json"] = json.dumps(says).encode()
    return archive(*[entry(path, data) for path, data in entries.items()])


def packages():
    add = lambda name, expect, what, **parts: case(name, "package", expect, what, package(**parts))
    add("good", "none", "nothing")
    case("no_manifest", "package", "not-a-package", "there is no manifest", archive(entry("claim.json", b"{}")))
    add("version", "unsupported-format-version", "a later format", manifest=lambda m: m.update(format_version=2))
    add("digest", "altered", "a document has another digest", listed=lambda l: l[0].update(sha256="00" * 32))
    add("listed_size", "altered", "a document has another size", listed=lambda l: l[0].update(size=1))
    add("unlisted", "invalid-package", "the manifest lists no document", listed=lambda l: l.pop(0))
    add("listed_twice", "invalid-package", "the manifest lists an entry twice", listed=lambda l: l.append(l[0]))
    add("other_claim", "invalid-package", "the claim file is of another claim", claim={"claim": {"id": "ON-INS/C-2"}})
    add("no_record", "invalid-package", "a document has no record", claim={"documents": []})
    add("no_bytes", "invalid-package", "a document's bytes are missing", documents={})
    add("path_name", "hostile-name", "a document's name is a path",
        claim={"documents": [{"id": "ON-INS/D-7", "name": "../report.txt"}]})
    add("record_twice", "invalid-package", "a record stands there twice",
        claim={"notes": [{"id": "ON-INS/N-1"}, {"id": "ON-INS/N-1"}]})
    deep = archive(entry("manifest.json", b"[" * 40 + b"]" * 40))
    case("deep", "package", "invalid-package", "JSON of 40 levels", deep)

    text = archive(entry("manifest.json", b"manifest"), entry("claim.json", b"{}"))
    case("manifest_text", "package", "not-a-package", "the manifest is no JSON", text)
    case("good", "claim-file", "none", "nothing", '{"claim": {"id": "ON-INS/C-1"}}')
    case("cut", "claim-file", "invalid-package", "the JSON is cut", '{"claim": {"id": "ON-INS/C-1"')
    case("no_claim", "claim-file", "invalid-package", "there is no claim", '{"notes": []}')
    case("bad_id", "claim-file", "invalid-package", "an id that is none", '{"claim": {"id": "../C-1"}}')
    case("not_utf8", "claim-file", "invalid-package", "a text that is not UTF-8", b'{"claim": {"id": "ON-INS/C-1", "status": "\xff"}}')


ENVELOPE = f'idempotency-key: "{ID}"\nclaimwire-package: from="ON-INS", to="IMEX", kind=claim, suite=age, key-version=1\n'
DIGEST = "sha-256=:ydADa+1nRLzfaS/JgNhxfX5fWk9Ogma0qEmCYC+xzQk=:"
# Made once with the key that the test has: nonces are random.
SIGNED = ENVELOPE + f"""content-digest: {DIGEST}
repr-digest: {DIGEST}
content-type: application/vnd.claimwire.package
signature-input: claimwire=("@method" "@path" "content-digest" "repr-digest" "content-type" "idempotency-key" \
"claimwire-package");created=1775000000;keyid="kit";alg="hmac-sha256";nonce="3WZ8/slLPTuko8TzSpD3xw==";tag="claimwire"
signature: claimwire=:HKqZ+0+XSE27g22UvJ/THts+oMxFRfaeoRzaEGcmEKk=:
"""


def messages():
    add = lambda name, what, old, new: case(name, "envelope", "bad-message", what, ENVELOPE.replace(old, new))
    case("good", "envelope", "none", "nothing", ENVELOPE)
    add("id", "an id that is no UUID", ID, "1")
    add("id_unquoted", "an id that is no string", f'"{ID}"', ID)
    add("no_recipient", "a member is missing", 'to="IMEX", ', "")
    add("kind", "a kind that nobody knows", "kind=claim", "kind=parcel")
    add("version_zero", "key version 0", "key-version=1", "key-version=0")
    add("version_text", "a key version that is a text", "key-version=1", 'key-version="1"')
    add("site", "a site id that is a path", '"ON-INS"', '"../x"')
    add("twice", "the id stands there twice", "idempotency-key", f'idempotency-key: "{ID}"\nidempotency-key')
    add = lambda name, expect, what, old, new: case(name, "signature", expect, what, SIGNED.replace(old, new))
    case("good", "signature", "none", "nothing", SIGNED)
    case("none", "signature", "bad-signature", "there is none", ENVELOPE)
    add("recipient", "bad-signature", "the recipient was changed", 'to="IMEX"', 'to="OTHER"')
    add("digest", "bad-signature", "the digest was changed", "content-digest: sha-256=:y", "content-digest: sha-256=:z")
    add("bytes", "bad-signature", "the signature was changed", ":HKqZ", ":HKqY")
    add("covers_less", "bad-signature", "the envelope is not covered", ' "claimwire-package")', ")")
    add("time", "bad-signature", "the time was changed", "created=1775000000", "created=1775000001")
    add("tag", "bad-signature", "the tag is another protocol's", 'tag="claimwire"', 'tag="other"')
    receipt = {"version": 1, "package_id": ID, "from": "IMEX", "to": "ON-INS", "state": "received", "digest": DIGEST,
               "at": "2026-03-02T14:30:00Z"}
    case("good", "receipt", "none", "nothing", json.dumps(receipt))
    case("text", "receipt", "bad-message", "no JSON", "<html>")
    case("state", "receipt", "bad-message", "a state that nobody knows", json.dumps({**receipt, "state": "eaten"}))
    case("digest", "receipt", "bad-message", "a digest that is none", json.dumps({**receipt, "digest": "x"}))


def sealed():
    salt, legacy, openssl = bytes(range(1, 9)), bytes.fromhex("97b83dced80209ce"), bytes.fromhex("a4c4ca386937a0d9")
    case("good", "salt-prefix", "none", "nothing", salt + legacy)
    case("empty", "salt-prefix", "truncated", "no bytes at all", b"")
    case("salt_alone", "salt-prefix", "truncated", "a salt and nothing behind it", salt)
    case("half_block", "salt-prefix", "truncated", "half a block", salt + legacy[:4])
    case("triple_des", "salt-prefix", "wrong-key", "PBEWithMD5AndTripleDES", salt + bytes.fromhex("c918a0db4d666f17"))
    case("good", "openssl", "none", "nothing", b"Salted__" + salt + openssl)
    case("no_magic", "openssl", "unsupported-suite", "not OpenSSL's magic", b"Peppered" + salt + openssl)
    case("cut", "openssl", "truncated", "the salt is cut", b"Salted__" + salt[:3])
    case("good", "bare", "none", "nothing", legacy)
    case("empty", "bare", "truncated", "no bytes at all", b"")
    case("half_block", "bare", "truncated", "a block and a half", legacy + legacy[:4])

    lines = (ROOT / "src/codec/age/vectors.txt").read_text().splitlines()
    age = bytes.fromhex(next(line for line in lines if line.startswith("x25519 ")).split(" ")[4])
    mac = age.index(b"---")
    flipped = lambda place: age[:place] + bytes([age[place] ^ 1]) + age[place + 1:]
    case("good", "age", "none", "nothing", age)
    case("empty", "age", "truncated", "no bytes at all", b"")
    case("version", "age", "unsupported-suite", "version 2 of the format", age.replace(b"/v1", b"/v2", 1))
    case("armour", "age", "unsupported-suite", "the ASCII form", b"-----BEGIN AGE ENCRYPTED FILE-----\n")
    case("header_cut", "age", "truncated", "the header is cut", age[:mac])
    case("payload_changed", "age", "altered", "a bit of the payload was changed", flipped(len(age) - 1))
    case("payload_cut", "age", "altered", "the last byte is missing, which within a chunk is a change", age[:-1])
    case("payload_gone", "age", "truncated", "there is no payload", age[:age.index(b"\n", mac) + 1 + 16])
    case("payload_longer", "age", "altered", "a byte too many", age + b"x")


for old in HERE.glob("*.input"):
    old.unlink()
archives()
packages()
messages()
sealed()
