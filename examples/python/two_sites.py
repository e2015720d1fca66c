"""Two sites in one Python process: an insurer with the embedded case system, an examiner with claims in a dict.

    LD_LIBRARY_PATH=PREFIX/lib python3 two_sites.py [FOLDER]

It checks its own result and exits with 1 when anything differs.
"""

import ctypes
import hashlib
import json
import pathlib
import sys
import tempfile

import claimwire as cw

CLAIM = "ON-INS/C-1"


def check(what, holds):
    print("  ok  " if holds else "  FAIL", what)
    if not holds:
        sys.exit(1)


class DictCases:
    """A case system of the host's own: claim files in a dict, documents under their digest in a folder."""

    def __init__(self, folder):
        self.claims = {}
        folder.mkdir(parents=True)

        @cw.callback(cw.LOAD)
        def load(claim, out, failure):
            if claim.decode() in self.claims:
                cw.call("claim_file_give", out, json.dumps(self.claims[claim.decode()]))

        @cw.callback(cw.OPEN_DOCUMENT)
        def open_document(claim, document, out, failure):
            documents = self.claims[claim.decode()]["documents"]
            record = next(record for record in documents if record["id"] == document.decode())
            cw.call("document_give_path", out, str(folder / record["sha256"]))

        @cw.callback(cw.APPLY)
        def apply(claim, changes, changes_len, documents, by, failure):
            for index, digest in cw.staged(documents):
                cw.call("staged_copy", documents, index, str(folder / digest))
            now = self.claims.get(claim.decode())
            before = (None, 0) if now is None else (json.dumps(now),)
            # One assignment is the transaction of a dict; with a database, it goes around all of this.
            self.claims[claim.decode()] = cw.json_of("changes_apply", changes, changes_len, *before)

        functions = cw.CaseSystemFunctions(ctypes.sizeof(cw.CaseSystemFunctions), load, open_document, apply, None)
        self.handle = cw.given("case_system", "case_system_new", ctypes.byref(functions),
                               cw.keep(load, open_document, apply), cw.drop)


class Site:
    """A site with its keys; open() gives it its exchange."""

    def __init__(self, id, cases):
        self.id, self.cases, self.events = id, cases, []
        self.signs = cw.given("signing_key", "signing_key_generate", id + "/2026")
        identity, recipient = ctypes.c_void_p(), ctypes.c_void_p()
        cw.call("age_generate", ctypes.byref(identity), ctypes.byref(recipient))
        self.identity, self.recipient = cw.Handle("buffer", identity.value), cw.Handle("buffer", recipient.value)

    def open(self, folder, other, transport=None):
        @cw.callback(cw.SECRET)
        def secret(name, name_len, out, failure):
            cw.call("secret_set", out, *self.identity.text())

        secrets = cw.Secrets(ctypes.sizeof(cw.Secrets), secret, None)
        settings = {"site": other.id, "number": 1, "alias": other.id, "keys": {
            "outgoing": {"version": 1, "suite": "age", "recipients": [other.recipient.bytes().decode()]},
            "incoming": [{"version": 1, "suite": "age", "secret": {"host": "identity"}}],
            "verifying": [{"id": cw.signing_key_id(other.signs),
                           "public": cw.bytes_of("signing_key_verifying_text", other.signs).decode()}]}}

        # The library keeps this one until the exchange is closed; `secret` is only used during the call it goes with.
        tell = cw.EVENT(lambda _, event: self.events.append(cw.event_json(event)))
        with cw.given("partner", "partner_from_json", json.dumps(settings), ctypes.byref(secrets), transport) as partner:
            made = cw.given("exchange_settings", "exchange_settings_new", self.id, str(folder), self.signs, self.cases)
            cw.call("exchange_settings_add_partner", made, partner)
            cw.call("exchange_settings_on_event", made, tell, cw.keep(tell), cw.drop)
            self.exchange = cw.given("exchange", "exchange_open", made.consumed())

    def export(self, partner, by, progress=None):
        options = cw.ExportOptions(ctypes.sizeof(cw.ExportOptions), by.encode(), len(by.encode()))
        watch = progress and ctypes.byref(cw.watch(progress))
        package = ctypes.create_string_buffer(cw.PACKAGE_ID_SIZE)
        cw.call("exchange_export", self.exchange, CLAIM, partner.id, ctypes.byref(options), watch, package, None)
        return package.value.decode()

    def history(self):
        return [entry["step"] for entry in cw.json_of("exchange_history", self.exchange, "{}")]


def codec():
    identity, recipient = ctypes.c_void_p(), ctypes.c_void_p()
    cw.call("age_generate", ctypes.byref(identity), ctypes.byref(recipient))
    with cw.Handle("buffer", identity.value) as identity, cw.Handle("buffer", recipient.value) as recipient:
        with cw.given("sealing_key", "sealing_key_age", *recipient.text()) as seals:
            sealed = cw.bytes_of("encrypt_bytes", seals, b"left knee \0 \xff")
        with cw.given("opening_key", "opening_key_age", *identity.text()) as opens:
            check("what was encrypted is decrypted", cw.bytes_of("decrypt_bytes", opens, sealed) == b"left knee \0 \xff")
            try:
                cw.bytes_of("decrypt_bytes", opens, sealed[:-1])
                check("cut bytes are refused", False)
            except cw.Error as error:
                check(f"cut bytes are refused: {error}", error.name in ("truncated", "altered"))


def exchange(folder):
    insurer = Site("ON-INS", cw.given("case_system", "case_system_open", str(folder / "insurer/cases"), None, 0))
    cases = DictCases(folder / "examiner/cases")
    examiner = Site("IMEX", cases.handle)
    examiner.open(folder / "examiner/exchange", insurer)
    to_examiner = cw.given("transport", "transport_memory", examiner.exchange)
    insurer.open(folder / "insurer/exchange", examiner, to_examiner)

    print("A claim with a scan, exported")
    scan = folder / "scan.pdf"
    scan.write_bytes(hashlib.shake_256(b"scan").digest(3_000_000))
    cw.call("case_system_put", insurer.cases, json.dumps({"claim": {"id": CLAIM, "claim_number": "CLM-2026-0117"}}))
    cw.json_of("case_system_add_document_file", insurer.cases, CLAIM, json.dumps({"id": "ON-INS/D-1", "name": "scan.pdf"}),
               str(scan))
    try:
        insurer.export(examiner, "d.whitfield")
        check("without a note it is refused", False)
    except cw.Error as error:
        check(f"without a note it is refused: {error}", error.code == cw.ERR_EXPORT_RULES_VIOLATED)
    note = {"id": "ON-INS/N-1", "author": "Zoë Whitfield", "body": "Please examine the left knee."}
    cw.call("case_system_add_note", insurer.cases, CLAIM, json.dumps(note))
    try:
        insurer.export(examiner, "d.whitfield", lambda count: True)
        check("it can be stopped", False)
    except cw.Error as error:
        check("it can be stopped", error.code == cw.ERR_CANCELLED)
    moved = []
    package = insurer.export(examiner, "d.whitfield", moved.append)
    check("progress was told", sum(moved) >= 3_000_000)

    print("Sent, unpacked, asked about")
    state, acknowledgement = ctypes.c_int32(), ctypes.c_int32()
    cw.call("exchange_send", insurer.exchange, package, None, ctypes.byref(state), None)
    check("the examiner signed a receipt", state.value == cw.OUTGOING_DELIVERED)
    check("New Package: the examiner was told", examiner.events == [
        {"kind": "new-package", "package": package, "partner": "ON-INS"}])
    cw.call("exchange_unpack", examiner.exchange, package, "l.brandt", None, ctypes.byref(state),
            ctypes.byref(acknowledgement), None)
    check("it is unpacked", state.value == cw.INCOMING_UNPACKED)
    arrived = cases.claims[CLAIM]
    check("the note arrived", arrived["notes"][0]["author"] == "Zoë Whitfield")
    copy = folder / "examiner/cases" / arrived["documents"][0]["sha256"]
    check("the scan arrived byte for byte", copy.read_bytes() == scan.read_bytes())
    cw.call("exchange_poll", insurer.exchange, package, ctypes.byref(state), None)
    check("the insurer knows", state.value == cw.OUTGOING_UNPACKED)

    print("Both histories")
    for site in (insurer, examiner):
        cw.call("exchange_verify_history", site.exchange, None)
        print("  ", site.id, *site.history())
        check("the history is there, and nobody altered it", len(site.history()) >= 2)
    # The transport keeps the examiner's exchange open: it ends first. Everything else ends with its object.
    for handle in (insurer.exchange, to_examiner, examiner.exchange, examiner.cases):
        handle.close()


if __name__ == "__main__":
    print("The codec")
    codec()
    if len(sys.argv) > 1:
        exchange(pathlib.Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as new:
            exchange(pathlib.Path(new))
    check("the library let go of every function", not cw._kept)
    print("\nThe claim arrived as it was sent.")
