import com.sun.jna.Callback;
import com.sun.jna.IntegerType;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import com.sun.jna.ptr.IntByReference;
import com.sun.jna.ptr.PointerByReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * claimwire's C interface for Java, by JNA: what {@link TwoSites} needs of it. The header include/claimwire.h is the
 * reference; every function of it can be declared as those of {@link Functions} are.
 */
final class Claimwire {
    static final int INTERNAL = 1, CANCELLED = 4, EXPORT_RULES_VIOLATED = 310;
    static final int OUTGOING_DELIVERED = 130, OUTGOING_UNPACKED = 140, INCOMING_UNPACKED = 210, EVENT_NEW_PACKAGE = 100;
    static final int ABI_VERSION = 0, PACKAGE_ID_SIZE = 37;

    /** C's size_t, which is as wide as the machine's pointers. */
    @SuppressWarnings("serial")
    public static final class Size extends IntegerType {
        public Size() {
            this(0);
        }

        public Size(long value) {
            super(Native.SIZE_T_SIZE, value, true);
        }
    }

    /** The functions, under their C names. A text is a byte[] of UTF-8 and its length; see {@link Text}. */
    interface Functions extends Library {
        int cw_abi_version();
        String cw_version();
        String cw_code_name(int code);
        Pointer cw_error_message(Pointer error);
        int cw_error_is_retryable(Pointer error);
        Size cw_error_detail_count(Pointer error);
        Pointer cw_error_detail(Pointer error, Size index);
        void cw_error_free(Pointer error);
        Pointer cw_buffer_data(Pointer buffer);
        Size cw_buffer_len(Pointer buffer);
        void cw_buffer_free(Pointer buffer);
        int cw_json_get(byte[] json, Size jsonLen, byte[] at, Size atLen, PointerByReference out, PointerByReference error);
        int cw_age_generate(PointerByReference identity, PointerByReference recipient, PointerByReference error);
        int cw_sealing_key_age(Pointer recipients, Size len, PointerByReference out, PointerByReference error);
        int cw_opening_key_age(Pointer identity, Size len, PointerByReference out, PointerByReference error);
        void cw_sealing_key_free(Pointer key);
        void cw_opening_key_free(Pointer key);
        int cw_encrypt_bytes(Pointer key, byte[] plaintext, Size len, PointerByReference out, PointerByReference error);
        int cw_decrypt_bytes(Pointer key, byte[] sealed, Size len, PointerByReference out, PointerByReference error);
        int cw_signing_key_generate(byte[] id, Size len, PointerByReference out, PointerByReference error);
        int cw_signing_key_verifying_text(Pointer key, PointerByReference out, PointerByReference error);
        String cw_signing_key_id(Pointer key);
        void cw_signing_key_free(Pointer key);
        int cw_secret_set(Pointer secret, Pointer value, Size len, PointerByReference error);
        int cw_failure_set(Pointer failure, int code, byte[] message, Size len, int retryable, PointerByReference error);
        int cw_partner_from_json(byte[] json, Size len, Secrets secrets, Pointer transport, PointerByReference out,
                                 PointerByReference error);
        void cw_partner_free(Pointer partner);
        int cw_transport_memory(Pointer exchange, PointerByReference out, PointerByReference error);
        void cw_transport_free(Pointer transport);
        int cw_case_system_open(byte[] folder, Size len, byte[] catalogue, Size catalogueLen, PointerByReference out,
                                PointerByReference error);
        int cw_case_system_put(Pointer cases, byte[] json, Size len, PointerByReference error);
        int cw_case_system_load(Pointer cases, byte[] claim, Size len, PointerByReference out, PointerByReference error);
        int cw_case_system_add_note(Pointer cases, byte[] claim, Size len, byte[] note, Size noteLen,
                                    PointerByReference error);
        int cw_case_system_add_document_file(Pointer cases, byte[] claim, Size len, byte[] document, Size documentLen,
                                             byte[] file, Size fileLen, PointerByReference out, PointerByReference error);
        int cw_case_system_read_document_file(Pointer cases, byte[] claim, Size len, byte[] document, Size documentLen,
                                              long version, byte[] file, Size fileLen, PointerByReference error);
        void cw_case_system_free(Pointer cases);
        int cw_exchange_settings_new(byte[] site, Size len, byte[] folder, Size folderLen, Pointer signingKey, Pointer cases,
                                     PointerByReference out, PointerByReference error);
        int cw_exchange_settings_add_partner(Pointer settings, Pointer partner, PointerByReference error);
        int cw_exchange_settings_on_event(Pointer settings, EventFn tell, Pointer userData, DropFn drop,
                                          PointerByReference error);
        void cw_exchange_settings_free(Pointer settings);
        int cw_exchange_open(Pointer settings, PointerByReference out, PointerByReference error);
        void cw_exchange_free(Pointer exchange);
        int cw_exchange_export(Pointer exchange, byte[] claim, Size len, byte[] partner, Size partnerLen,
                               ExportOptions options, Watch watch, byte[] packageId, PointerByReference out,
                               PointerByReference error);
        int cw_exchange_send(Pointer exchange, byte[] id, Size len, Watch watch, IntByReference state,
                             PointerByReference out, PointerByReference error);
        int cw_exchange_poll(Pointer exchange, byte[] id, Size len, IntByReference state, PointerByReference out,
                             PointerByReference error);
        int cw_exchange_unpack(Pointer exchange, byte[] id, Size len, byte[] by, Size byLen, Watch watch,
                               IntByReference state, IntByReference told, PointerByReference out, PointerByReference error);
        int cw_exchange_history(Pointer exchange, byte[] query, Size len, PointerByReference out, PointerByReference error);
        int cw_exchange_verify_history(Pointer exchange, PointerByReference out, PointerByReference error);
        int cw_event_kind(Pointer event);
        String cw_event_package(Pointer event);
    }

    interface EventFn extends Callback { void invoke(Pointer userData, Pointer event); }
    interface ProgressFn extends Callback { int invoke(Pointer userData, long bytes); }
    interface SecretFn extends Callback { int invoke(Pointer data, Pointer name, Size len, Pointer secret, Pointer failure); }
    interface DropFn extends Callback { void invoke(Pointer userData); }

    @Structure.FieldOrder({"struct_size", "progress", "user_data"})
    public static final class Watch extends Structure {
        public Size struct_size = new Size();
        public ProgressFn progress;
        public Pointer user_data;

        Watch(ProgressFn progress) {
            this.progress = progress;
            struct_size = new Size(size());
        }
    }

    @Structure.FieldOrder({"struct_size", "secret", "user_data"})
    public static final class Secrets extends Structure {
        public Size struct_size = new Size();
        public SecretFn secret;
        public Pointer user_data;

        Secrets(SecretFn secret) {
            this.secret = secret;
            struct_size = new Size(size());
        }
    }

    @Structure.FieldOrder({"struct_size", "by", "by_len", "assessments", "assessments_len"})
    public static final class ExportOptions extends Structure {
        public Size struct_size = new Size();
        public Pointer by;
        public Size by_len = new Size();
        public Pointer assessments;
        public Size assessments_len = new Size();

        ExportOptions(String by) {
            Text text = new Text(by);
            // The struct holds the memory, and so keeps it from being collected during the call.
            Memory memory = new Memory(Math.max(1, text.bytes.length));
            memory.write(0, text.bytes, 0, text.bytes.length);
            this.by = memory;
            by_len = text.size;
            struct_size = new Size(size());
        }
    }

    static final Functions C = Native.load("claimwire", Functions.class);

    static {
        if (C.cw_abi_version() != ABI_VERSION) {
            throw new UnsatisfiedLinkError("claimwire " + C.cw_version() + " has another C interface than this class");
        }
    }

    /** A text as the library takes it: UTF-8 and its length in bytes. */
    static final class Text {
        final byte[] bytes;
        final Size size;

        Text(String text) {
            bytes = text.getBytes(StandardCharsets.UTF_8);
            size = new Size(bytes.length);
        }
    }

    /** What a call failed with. */
    @SuppressWarnings("serial")
    static final class ClaimwireException extends RuntimeException {
        final int code;
        final boolean retryable;
        final List<String> details = new ArrayList<>();

        /** Takes over what the error says, and ends it. */
        ClaimwireException(int code, Pointer error) {
            super(C.cw_code_name(code) + ": " + utf8(C.cw_error_message(error)));
            this.code = code;
            retryable = C.cw_error_is_retryable(error) == 1;
            for (long i = 0; i < C.cw_error_detail_count(error).longValue(); i++) {
                details.add(utf8(C.cw_error_detail(error, new Size(i))));
            }
            C.cw_error_free(error);
        }
    }

    interface Call { int with(PointerByReference error); }
    interface Giving { int with(PointerByReference out, PointerByReference error); }

    static void call(Call call) {
        PointerByReference error = new PointerByReference();
        int code = call.with(error);
        if (code != 0) {
            throw new ClaimwireException(code, error.getValue());
        }
    }

    /** A call that gives a handle, which `free` ends. */
    static Handle given(DropFn free, Giving call) {
        PointerByReference out = new PointerByReference();
        call(error -> call.with(out, error));
        return new Handle(out.getValue(), free);
    }

    /** A call that gives a buffer: its bytes, copied. */
    static byte[] bytes(Giving call) {
        try (Handle buffer = given(C::cw_buffer_free, call)) {
            return buffer.bytes();
        }
    }

    static String text(Giving call) {
        return new String(bytes(call), StandardCharsets.UTF_8);
    }

    /** A handle of the library's. It ends with close(), once, also when that is called twice. */
    static final class Handle implements AutoCloseable {
        private final AtomicReference<Pointer> pointer;
        private final DropFn free;

        Handle(Pointer pointer, DropFn free) {
            this.pointer = new AtomicReference<>(pointer);
            this.free = free;
        }

        Pointer pointer() {
            return Objects.requireNonNull(pointer.get(), "the handle is closed");
        }

        /** The pointer, for a call that consumes the handle: it is no longer ours to end. */
        Pointer consumed() {
            Pointer now = pointer();
            pointer.set(null);
            return now;
        }

        /** Where this is a buffer: the bytes, which a call can read in place. A secret is never copied so. */
        Pointer data() {
            return C.cw_buffer_data(pointer());
        }

        Size size() {
            return C.cw_buffer_len(pointer());
        }

        byte[] bytes() {
            return data().getByteArray(0, size().intValue());
        }

        @Override
        public void close() {
            Pointer last = pointer.getAndSet(null);
            if (last != null) {
                free.invoke(last);
            }
        }
    }

    static final ConcurrentHashMap<Long, Callback> KEPT = new ConcurrentHashMap<>();
    private static final AtomicLong KEYS = new AtomicLong();

    /** Ends what {@link #keep} began; goes with every function that the library keeps. */
    static final DropFn DROP = userData -> KEPT.remove(Pointer.nativeValue(userData));

    /** JNA holds callbacks weakly. One that the library keeps is held here until the library calls {@link #DROP}. */
    static Pointer keep(Callback callback) {
        long key = KEYS.incrementAndGet();
        KEPT.put(key, callback);
        return new Pointer(key);
    }

    /** For a function of the host's that returns a code: an exception would be lost, and 0, which is CW_OK, returned. */
    static int guarded(Pointer failure, Runnable work) {
        try {
            work.run();
            return 0;
        } catch (RuntimeException | Error thrown) {
            Text why = new Text(String.valueOf(thrown.getMessage()));
            int code = thrown instanceof ClaimwireException known ? known.code : INTERNAL;
            C.cw_failure_set(failure, code, why.bytes, why.size, -1, null);
            return code;
        }
    }

    private static String utf8(Pointer text) {
        return text == null ? "" : text.getString(0, "UTF-8");
    }
}
