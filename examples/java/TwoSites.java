import com.sun.jna.Pointer;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Two sites in one Java process: a claim with a note and a scan goes from an insurer to a medical examiner.
 *
 * <pre>
 * javac -encoding UTF-8 -cp jna.jar -d classes *.java
 * java -cp classes:jna.jar -Djna.library.path=PREFIX/lib TwoSites [FOLDER]
 * </pre>
 *
 * It checks its own result and exits with 1 when anything differs.
 */
final class TwoSites {
    private static final String CLAIM = "ON-INS/C-1";
    private static final Claimwire.Functions C = Claimwire.C;

    /** One site: its claims in the embedded case system, its keys, and, once it is open, its exchange. */
    private static final class Site implements AutoCloseable {
        final String id;
        final Path folder;
        final Claimwire.Handle cases, signs, identity, recipient;
        final List<String> newPackages = new CopyOnWriteArrayList<>();
        Claimwire.Handle exchange;

        Site(String id, Path folder) {
            this.id = id;
            this.folder = folder;
            Claimwire.Text where = new Claimwire.Text(folder.resolve("cases").toString());
            cases = Claimwire.given(C::cw_case_system_free,
                (out, error) -> C.cw_case_system_open(where.bytes, where.size, null, new Claimwire.Size(), out, error));
            Claimwire.Text key = new Claimwire.Text(id + "/2026");
            signs = Claimwire.given(C::cw_signing_key_free,
                (out, error) -> C.cw_signing_key_generate(key.bytes, key.size, out, error));
            PointerByReference secret = new PointerByReference(), open = new PointerByReference();
            Claimwire.call(error -> C.cw_age_generate(secret, open, error));
            identity = new Claimwire.Handle(secret.getValue(), C::cw_buffer_free);
            recipient = new Claimwire.Handle(open.getValue(), C::cw_buffer_free);
        }

        private int secret(Pointer userData, Pointer name, Claimwire.Size nameLen, Pointer secret, Pointer failure) {
            return Claimwire.guarded(failure, () ->
                Claimwire.call(error -> C.cw_secret_set(secret, identity.data(), identity.size(), error)));
        }

        private void told(Pointer userData, Pointer event) {
            if (C.cw_event_kind(event) == Claimwire.EVENT_NEW_PACKAGE) {
                newPackages.add(C.cw_event_package(event));
            }
        }

        /** Opens the exchange with one partner, reached by `transport`, or only received from when that is null. */
        void open(Site partner, Pointer transport) {
            String verifying = Claimwire.text(
                (out, error) -> C.cw_signing_key_verifying_text(partner.signs.pointer(), out, error));
            Claimwire.Text settled = new Claimwire.Text(String.format("""
                {"site": "%s", "number": 1, "alias": "%s", "keys": {
                    "outgoing": {"version": 1, "suite": "age", "recipients": ["%s"]},
                    "incoming": [{"version": 1, "suite": "age", "secret": {"host": "identity"}}],
                    "verifying": [{"id": "%s", "public": "%s"}]}}""",
                partner.id, partner.id, new String(partner.recipient.bytes(), StandardCharsets.US_ASCII),
                C.cw_signing_key_id(partner.signs.pointer()), verifying));
            Claimwire.Text site = new Claimwire.Text(id), where = new Claimwire.Text(folder.resolve("exchange").toString());
            // Used during one call: the struct, which is an argument of it, holds the function.
            Claimwire.Secrets secrets = new Claimwire.Secrets(this::secret);
            // Kept by the library: held until it calls DROP.
            Claimwire.EventFn tell = this::told;
            try (Claimwire.Handle other = Claimwire.given(C::cw_partner_free, (out, error) ->
                     C.cw_partner_from_json(settled.bytes, settled.size, secrets, transport, out, error));
                 Claimwire.Handle made = Claimwire.given(C::cw_exchange_settings_free, (out, error) ->
                     C.cw_exchange_settings_new(site.bytes, site.size, where.bytes, where.size, signs.pointer(),
                                                cases.pointer(), out, error))) {
                Claimwire.call(error -> C.cw_exchange_settings_add_partner(made.pointer(), other.pointer(), error));
                Claimwire.call(error -> C.cw_exchange_settings_on_event(made.pointer(), tell, Claimwire.keep(tell),
                                                                        Claimwire.DROP, error));
                exchange = Claimwire.given(C::cw_exchange_free,
                    (out, error) -> C.cw_exchange_open(made.consumed(), out, error));
            }
        }

        /** Exports the claim; gives the package's id. */
        String export(Site partner, String by, Claimwire.ProgressFn progress) {
            Claimwire.Text claim = new Claimwire.Text(CLAIM), to = new Claimwire.Text(partner.id);
            Claimwire.ExportOptions options = new Claimwire.ExportOptions(by);
            byte[] id = new byte[Claimwire.PACKAGE_ID_SIZE];
            Claimwire.call(error -> C.cw_exchange_export(exchange.pointer(), claim.bytes, claim.size, to.bytes, to.size,
                                                         options, new Claimwire.Watch(progress), id, null, error));
            return new String(id, 0, id.length - 1, StandardCharsets.US_ASCII);
        }

        /** What the history says of each step, in their order; checked first. */
        String history() {
            Claimwire.call(error -> C.cw_exchange_verify_history(exchange.pointer(), null, error));
            String history = Claimwire.text(
                (out, error) -> C.cw_exchange_history(exchange.pointer(), null, new Claimwire.Size(), out, error));
            StringBuilder steps = new StringBuilder();
            for (int i = 0; i < 4; i++) {
                steps.append(json(history, "/" + i + "/step")).append(' ');
            }
            return steps.toString().trim();
        }

        @Override
        public void close() {
            for (Claimwire.Handle handle : new Claimwire.Handle[] {exchange, cases, signs, identity, recipient}) {
                if (handle != null) {
                    handle.close();
                }
            }
        }
    }

    private static String json(String json, String at) {
        Claimwire.Text document = new Claimwire.Text(json), pointer = new Claimwire.Text(at);
        return Claimwire.text((out, error) ->
            C.cw_json_get(document.bytes, document.size, pointer.bytes, pointer.size, out, error));
    }

    private static void check(String what, boolean holds) {
        System.out.println((holds ? "  ok   " : "  FAIL ") + what);
        if (!holds) {
            System.exit(1);
        }
    }

    /** Runs what must fail; gives its exception. */
    private static Claimwire.ClaimwireException refused(Runnable call) {
        try {
            call.run();
        } catch (Claimwire.ClaimwireException error) {
            return error;
        }
        throw new AssertionError("this should have been refused");
    }

    private static void codec() {
        byte[] plain = "left knee, Zoë".getBytes(StandardCharsets.UTF_8);
        PointerByReference secret = new PointerByReference(), open = new PointerByReference();
        Claimwire.call(error -> C.cw_age_generate(secret, open, error));
        try (var identity = new Claimwire.Handle(secret.getValue(), C::cw_buffer_free);
             var recipient = new Claimwire.Handle(open.getValue(), C::cw_buffer_free);
             var seals = Claimwire.given(C::cw_sealing_key_free, (out, error) ->
                 C.cw_sealing_key_age(recipient.data(), recipient.size(), out, error));
             var opens = Claimwire.given(C::cw_opening_key_free, (out, error) ->
                 C.cw_opening_key_age(identity.data(), identity.size(), out, error))) {
            byte[] sealed = Claimwire.bytes((out, error) ->
                C.cw_encrypt_bytes(seals.pointer(), plain, new Claimwire.Size(plain.length), out, error));
            byte[] opened = Claimwire.bytes((out, error) ->
                C.cw_decrypt_bytes(opens.pointer(), sealed, new Claimwire.Size(sealed.length), out, error));
            check("what was encrypted is decrypted", Arrays.equals(plain, opened));
            sealed[sealed.length - 1] ^= 1;
            var error = refused(() -> Claimwire.bytes((out, e) ->
                C.cw_decrypt_bytes(opens.pointer(), sealed, new Claimwire.Size(sealed.length), out, e)));
            check("changed bytes are refused: " + error.getMessage(), !error.retryable);
        }
    }

    private static void fileClaim(Site insurer, Path scan) {
        var file = new Claimwire.Text("{\"claim\": {\"id\": \"" + CLAIM + "\", \"claim_number\": \"CLM-2026-0117\"}}");
        var claim = new Claimwire.Text(CLAIM);
        var document = new Claimwire.Text("{\"id\": \"ON-INS/D-1\", \"name\": \"scan.pdf\"}");
        var path = new Claimwire.Text(scan.toString());
        Pointer cases = insurer.cases.pointer();
        Claimwire.call(error -> C.cw_case_system_put(cases, file.bytes, file.size, error));
        Claimwire.call(error -> C.cw_case_system_add_document_file(cases, claim.bytes, claim.size, document.bytes,
            document.size, path.bytes, path.size, null, error));
    }

    private static void exchange(Path folder) throws java.io.IOException {
        try (Site examiner = new Site("IMEX", folder.resolve("examiner"));
             Site insurer = new Site("ON-INS", folder.resolve("insurer"))) {
            examiner.open(insurer, null);
            // The partner keeps the transport, and that the examiner's exchange: the insurer is closed first.
            try (var transport = Claimwire.given(C::cw_transport_free,
                     (out, error) -> C.cw_transport_memory(examiner.exchange.pointer(), out, error))) {
                insurer.open(examiner, transport.pointer());
            }
            System.out.println("A claim with a scan, exported");
            byte[] bytes = new byte[3_000_000];
            new Random(1).nextBytes(bytes);
            Path scan = Files.write(folder.resolve("scan.pdf"), bytes);
            fileClaim(insurer, scan);
            var error = refused(() -> insurer.export(examiner, "d.whitfield", null));
            check("without a note it is refused: " + error.details, error.code == Claimwire.EXPORT_RULES_VIOLATED);
            var claim = new Claimwire.Text(CLAIM);
            var note = new Claimwire.Text(
                "{\"id\": \"ON-INS/N-1\", \"author\": \"Zoë Whitfield\", \"body\": \"Please examine the left knee.\"}");
            Claimwire.call(e -> C.cw_case_system_add_note(insurer.cases.pointer(), claim.bytes, claim.size, note.bytes,
                                                          note.size, e));
            error = refused(() -> insurer.export(examiner, "d.whitfield", (userData, moved) -> 1));
            check("it can be stopped", error.code == Claimwire.CANCELLED);
            AtomicLong moved = new AtomicLong();
            var id = new Claimwire.Text(insurer.export(examiner, "d.whitfield", (userData, count) -> {
                moved.addAndGet(count);
                return 0;
            }));
            check("progress was told", moved.get() >= bytes.length);

            System.out.println("Sent, unpacked, asked about");
            IntByReference state = new IntByReference();
            Claimwire.call(e -> C.cw_exchange_send(insurer.exchange.pointer(), id.bytes, id.size, null, state, null, e));
            check("the examiner signed a receipt", state.getValue() == Claimwire.OUTGOING_DELIVERED);
            check("New Package: the examiner was told",
                  examiner.newPackages.equals(List.of(new String(id.bytes, StandardCharsets.US_ASCII))));
            var by = new Claimwire.Text("l.brandt");
            Claimwire.call(e -> C.cw_exchange_unpack(examiner.exchange.pointer(), id.bytes, id.size, by.bytes, by.size,
                                                     null, state, null, null, e));
            check("it is unpacked", state.getValue() == Claimwire.INCOMING_UNPACKED);
            String arrived = Claimwire.text((out, e) ->
                C.cw_case_system_load(examiner.cases.pointer(), claim.bytes, claim.size, out, e));
            check("the note arrived", json(arrived, "/notes/0/author").equals("Zoë Whitfield"));
            Path copy = folder.resolve("copy.pdf");
            var document = new Claimwire.Text("ON-INS/D-1");
            var path = new Claimwire.Text(copy.toString());
            Claimwire.call(e -> C.cw_case_system_read_document_file(examiner.cases.pointer(), claim.bytes, claim.size,
                document.bytes, document.size, 0, path.bytes, path.size, e));
            check("the scan arrived byte for byte", Files.mismatch(scan, copy) == -1);
            Claimwire.call(e -> C.cw_exchange_poll(insurer.exchange.pointer(), id.bytes, id.size, state, null, e));
            check("the insurer knows", state.getValue() == Claimwire.OUTGOING_UNPACKED);

            System.out.println("Both histories");
            check("the insurer's is whole", insurer.history().equals("exported sent delivered unpacked"));
            check("the examiner's is whole", examiner.history().equals("received notified unpacked acknowledged"));
        }
        check("the library let go of every function", Claimwire.KEPT.isEmpty());
    }

    public static void main(String[] arguments) throws java.io.IOException {
        System.out.println("The codec");
        codec();
        exchange(arguments.length > 0 ? Path.of(arguments[0]) : Files.createTempDirectory("two-sites"));
        System.out.println("\nThe claim arrived as it was sent.");
    }
}
