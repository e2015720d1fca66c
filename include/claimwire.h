/*
 * claimwire: carries insurance claim files between the case-management systems of insurers and their service
 * providers. One header, one library; docs/c-abi.md has more of everything that is said here.
 *
 * THE CONTRACT
 *
 * Calls.     Every function that can fail returns int32_t: CW_OK (0), or one of CW_ERR_*, which are stable. Its last
 *            parameter, `cw_error **error`, may be NULL; else it gets NULL or, after a failure, an error with more
 *            detail, which you end with cw_error_free. Nothing else is given out after a failure: every `out` is NULL.
 * Handles.   A function named _new, _open, _generate or the like, or with an `out`, gives you a handle that you end
 *            with the _free of its type, exactly once. _free(NULL) does nothing, and no _free can fail. A handle that
 *            a function "consumes" is no longer yours, also when the function fails.
 * Texts in.  A pointer and a length in bytes, UTF-8, no NUL needed. CW_STR("...") passes a literal, CW_Z(s) a
 *            NUL-terminated string. They are borrowed for the time of the call, never kept.
 * Texts out. A cw_buffer, which is yours and which you end with cw_buffer_free; or a `const char *` that its comment
 *            calls borrowed (good until its owner ends) or static (good for ever).
 * JSON.      Claim files, change sets, packages, histories and queries cross as JSON in UTF-8, as docs/schemas has it.
 * Threads.   Functions that take `const` handles may run on any number of threads at once with the same handle. A
 *            handle passed without `const` is for one call at a time. Nothing is tied to the thread that made it.
 * Functions  of yours get the `user_data` that you gave with them. Those that are kept come with a `drop`, called once
 * of yours.  when the data is no longer needed, also when the call that took them fails. They return CW_OK or a code;
 *            where they get a cw_failure, cw_failure_set says more. They must not throw, longjmp or otherwise leave
 *            but by returning, and must not end a handle that the call they are called from was given.
 * Structs    of options begin with `struct_size`: zero the struct, set it to sizeof, fill in what you need. Such a
 *            struct only grows, at its end.
 * Secrets.   No error and no log line holds a key, a password or a document's content. Buffers and keys are wiped when
 *            they are freed. What you copy out of them is yours to wipe.
 *
 * EXAMPLE
 *
 *     #include <claimwire.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *         cw_sealing_key *key = NULL;
 *         cw_buffer *sealed = NULL;
 *         cw_error *error = NULL;
 *         int32_t code = cw_sealing_key_age(
 *             CW_STR("age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"), &key, &error);
 *         if (code == CW_OK) {
 *             code = cw_encrypt_bytes(key, (const uint8_t *)"claim", 5, &sealed, &error);
 *         }
 *         if (code == CW_OK) {
 *             fwrite(cw_buffer_data(sealed), 1, cw_buffer_len(sealed), stdout);
 *         } else {
 *             fprintf(stderr, "%s: %s\n", cw_error_name(error), cw_error_message(error));
 *         }
 *         cw_error_free(error);
 *         cw_buffer_free(sealed);
 *         cw_sealing_key_free(key);
 *         return code == CW_OK ? 0 : 1;
 *     }
 *
 * TIERS
 *
 *   1  versions, codes, errors, buffers, JSON, functions of yours     what every host needs
 *   2  keys and the codec: on bytes, on files, on streams, archives   for hosts that only want the cipher or the zip
 *   3  partners, transports, case systems, the exchange               for hosts that exchange claims
 *   4  receiving: fed by your own web server, or by the built-in one  for hosts that take claims in
 */


#ifndef CLAIMWIRE_H
#define CLAIMWIRE_H

#include <stddef.h>
#include <stdint.h>

/** Passes a text literal as a pointer and a length. */
#define CW_STR(text) ("" text), (sizeof(text) - 1)
/** Passes a NUL-terminated string as a pointer and a length; needs <string.h>. */
#define CW_Z(text) (text), (strlen(text))
/** Room for a package's id as text with its NUL. */
#define CW_PACKAGE_ID_SIZE 37

/**
 * The version of the library that this header belongs to.
 */
#define CW_VERSION_MAJOR 0

/**
 * See CW_VERSION_MAJOR.
 */
#define CW_VERSION_MINOR 1

/**
 * See CW_VERSION_MAJOR.
 */
#define CW_VERSION_PATCH 0

/**
 * The version of the C interface, the number in the shared library's name (libclaimwire.so.0). It changes only when
 * hosts have to be compiled anew.
 */
#define CW_ABI_VERSION 0

/**
 * It worked.
 */
#define CW_OK 0

/**
 * A fault of this library, or of a host's callback that broke its contract.
 */
#define CW_ERR_INTERNAL 1

/**
 * A call was made with a value it does not take.
 */
#define CW_ERR_INVALID_ARGUMENT 2

/**
 * The operating system refused a read or a write.
 */
#define CW_ERR_IO 3

/**
 * The caller stopped the work through its progress hook.
 */
#define CW_ERR_CANCELLED 4

/**
 * The key does not open this; or, where a suite cannot tell, the bytes are not what was encrypted.
 */
#define CW_ERR_WRONG_KEY 100

/**
 * Sealed under a key version that is not known here: the key was rotated on one side only.
 */
#define CW_ERR_UNKNOWN_KEY_VERSION 101

/**
 * The bytes end too early.
 */
#define CW_ERR_TRUNCATED 102

/**
 * The bytes were changed after they were written.
 */
#define CW_ERR_ALTERED 103

/**
 * A key, password, recipient or identity is not one the suite can use.
 */
#define CW_ERR_INVALID_KEY 104

/**
 * The suite or framing is not the one agreed, or not built in.
 */
#define CW_ERR_UNSUPPORTED_SUITE 105

/**
 * The key is the right one, but not for this time: its validity has ended, or not begun yet.
 */
#define CW_ERR_KEY_NOT_VALID 106

/**
 * Not a zip archive: with a suite that cannot tell, most likely the wrong key.
 */
#define CW_ERR_NOT_AN_ARCHIVE 120

/**
 * The archive uses a compression method or a zip feature that packages never use.
 */
#define CW_ERR_UNSUPPORTED_ARCHIVE 121

/**
 * An entry's name is not one that may be written to a file system.
 */
#define CW_ERR_HOSTILE_NAME 122

/**
 * The archive contradicts itself: overlapping entries, headers that differ, bytes that belong to nothing.
 */
#define CW_ERR_INCONSISTENT_ARCHIVE 123

/**
 * The archive inflates to more than the limit, or by a higher ratio than the limit.
 */
#define CW_ERR_INFLATED_TOO_LARGE 124

/**
 * The archive has more entries than the limit.
 */
#define CW_ERR_TOO_MANY_ENTRIES 125

/**
 * An archive, but without a manifest: not a claimwire package.
 */
#define CW_ERR_NOT_A_PACKAGE 200

/**
 * Written in a format version that this version does not read.
 */
#define CW_ERR_UNSUPPORTED_FORMAT_VERSION 201

/**
 * The manifest or the claim file is not valid.
 */
#define CW_ERR_INVALID_PACKAGE 202

/**
 * The sealed package is larger than the limit.
 */
#define CW_ERR_SEALED_TOO_LARGE 203

/**
 * A package, but addressed to another site.
 */
#define CW_ERR_WRONG_RECIPIENT 204

/**
 * What the package says of itself differs from what its sender announced.
 */
#define CW_ERR_ENVELOPE_MISMATCH 205

/**
 * A scanner found malware in a document of the package.
 */
#define CW_ERR_INFECTED_DOCUMENT 206

/**
 * No such claim in the case system.
 */
#define CW_ERR_UNKNOWN_CLAIM 300

/**
 * No such partner in the settings.
 */
#define CW_ERR_UNKNOWN_PARTNER 301

/**
 * No such package in the ledger.
 */
#define CW_ERR_UNKNOWN_PACKAGE 302

/**
 * A setting is not valid.
 */
#define CW_ERR_INVALID_SETTINGS 303

/**
 * Rules of the partner forbid this export.
 */
#define CW_ERR_EXPORT_RULES_VIOLATED 310

/**
 * Rules of this site forbid what the package brings.
 */
#define CW_ERR_IMPORT_RULES_VIOLATED 311

/**
 * Both sides changed the same field, and the partner's policy is to stop.
 */
#define CW_ERR_CONFLICT 312

/**
 * The package was already dealt with, or is not yet where this step needs it.
 */
#define CW_ERR_WRONG_STATE 313

/**
 * No partner has this sender's id, or the sender did not prove to be that partner.
 */
#define CW_ERR_UNKNOWN_SENDER 400

/**
 * The signature does not match what was sent.
 */
#define CW_ERR_BAD_SIGNATURE 401

/**
 * The body's digest differs from the one announced.
 */
#define CW_ERR_DIGEST_MISMATCH 402

/**
 * The other side's certificate is not one that is trusted here.
 */
#define CW_ERR_BAD_CERTIFICATE 403

/**
 * An address without TLS that is not this machine's own.
 */
#define CW_ERR_PLAIN_HTTP 404

/**
 * The request or the answer is not one the protocol knows.
 */
#define CW_ERR_BAD_MESSAGE 405

/**
 * The same package id was used before for other bytes.
 */
#define CW_ERR_ID_REUSED 406

/**
 * The signature is too old, from the future, or was seen before.
 */
#define CW_ERR_REPLAYED 407

/**
 * The partner could not be reached, or the connection broke.
 */
#define CW_ERR_UNREACHABLE 410

/**
 * The partner took longer than a timeout allows.
 */
#define CW_ERR_TIMED_OUT 411

/**
 * The partner answered, but with nothing that proves it holds the package.
 */
#define CW_ERR_NO_RECEIPT 412

/**
 * The partner refused: its reason is in the message.
 */
#define CW_ERR_REFUSED 413

/**
 * This transport cannot carry the request.
 */
#define CW_ERR_UNSUPPORTED_TRANSPORT 414

/**
 * The ledger could not be read or written.
 */
#define CW_ERR_LEDGER 500

/**
 * The case system could not be read or written.
 */
#define CW_ERR_CASE_SYSTEM 501

/**
 * A file the ledger promises is not there or is damaged.
 */
#define CW_ERR_STORE_DAMAGED 502

/**
 * The malware scanner gave no verdict on a document.
 */
#define CW_ERR_SCAN_FAILED 510

/**
 * No lines at all.
 */
#define CW_LOG_OFF 0

/**
 * What needs somebody now: the ledger cannot be written.
 */
#define CW_LOG_ERROR 100

/**
 * What failed or was refused.
 */
#define CW_LOG_WARN 200

/**
 * Each step of each package.
 */
#define CW_LOG_INFO 300

/**
 * What the steps are made of.
 */
#define CW_LOG_DEBUG 400

/**
 * Everything there is.
 */
#define CW_LOG_TRACE 500

/**
 * Room for a SHA-256 in hexadecimal with its NUL.
 */
#define CW_SHA256_SIZE 65

/**
 * For a timeout of cw_https_options: wait without limit.
 */
#define CW_NO_LIMIT UINT64_MAX

/**
 * Sealed and waiting to be sent.
 */
#define CW_OUTGOING_QUEUED 100

/**
 * Being sent.
 */
#define CW_OUTGOING_SENDING 110

/**
 * Posted, but the answer has not come: the partner may or may not hold it.
 */
#define CW_OUTGOING_SENT 120

/**
 * The partner's signed receipt says that it durably holds the package.
 */
#define CW_OUTGOING_DELIVERED 130

/**
 * The partner has unpacked it.
 */
#define CW_OUTGOING_UNPACKED 140

/**
 * The partner has rejected it, or passed it over for a later one that this site does not know.
 */
#define CW_OUTGOING_REJECTED 150

/**
 * It was not accepted and will not be tried again by itself.
 */
#define CW_OUTGOING_FAILED 160

/**
 * It was taken back before it left, and is never sent.
 */
#define CW_OUTGOING_WITHDRAWN 170

/**
 * Durably held and waiting to be unpacked.
 */
#define CW_INCOMING_RECEIVED 200

/**
 * Unpacked: the claim was added or updated.
 */
#define CW_INCOMING_UNPACKED 210

/**
 * Refused for good: by the import rules, or by a person.
 */
#define CW_INCOMING_REJECTED 220

/**
 * Unpacking failed and may be tried again.
 */
#define CW_INCOMING_FAILED 230

/**
 * Older than a package of the same claim that was applied before: it changed nothing.
 */
#define CW_INCOMING_SUPERSEDED 240

/**
 * The sender took the receipt.
 */
#define CW_ACKNOWLEDGEMENT_TOLD 300

/**
 * The receipt was left for the sender to collect.
 */
#define CW_ACKNOWLEDGEMENT_LEFT 310

/**
 * The sender could not be told now; cw_exchange_acknowledge tries again, and the sender can ask.
 */
#define CW_ACKNOWLEDGEMENT_NOT_TOLD 320

/**
 * New Package: a package was received and waits to be unpacked.
 */
#define CW_EVENT_NEW_PACKAGE 100

/**
 * New Note: a partner's notes were added to a claim here.
 */
#define CW_EVENT_NEW_NOTE 110

/**
 * A package that came in was unpacked by itself, as the partner's settings say.
 */
#define CW_EVENT_AUTOMATICALLY_UNPACKED 120

/**
 * A package that came in could not be unpacked by itself, or its notes could not be applied.
 */
#define CW_EVENT_UNPACK_FAILED 130

/**
 * The scanner found malware in a package that came in: nothing of it was released, and a person rejects it.
 */
#define CW_EVENT_INFECTED_PACKAGE 140

/**
 * A package of ours is sealed and lies in the outbox.
 */
#define CW_EVENT_EXPORTED 200

/**
 * A package of ours is durably held by its recipient, whose signed receipt came in.
 */
#define CW_EVENT_DELIVERED 210

/**
 * A package of ours was unpacked by its recipient, whose signed receipt of that came in.
 */
#define CW_EVENT_UNPACKED 220

/**
 * A package of ours was rejected by its recipient, or passed over for a later one that this site forgot with a
 * restored folder, or cannot be delivered.
 */
#define CW_EVENT_FAILED 230

/**
 * A package of ours cannot go out before somebody puts right what the reason says: a key to sign with, the transport, a
 * certificate. It stays queued, and goes out by itself then.
 */
#define CW_EVENT_HELD_UP 240

/**
 * An event could not be kept for delivery, and its receiver will not be told of it.
 */
#define CW_TROUBLE_NOT_KEPT 100

/**
 * A try failed; another follows.
 */
#define CW_TROUBLE_RETRYING 110

/**
 * The last try failed; cw_webhook_retry_failed tries the message again.
 */
#define CW_TROUBLE_GIVEN_UP 120

/**
 * The receiver answered 410 Gone: nothing is posted until cw_webhook_enable.
 */
#define CW_TROUBLE_DISABLED 130

/**
 * The spool's folder could not be read or written; a message may be delivered again after a restart.
 */
#define CW_TROUBLE_SPOOL 140

/**
 * All is well.
 */
#define CW_HEALTH_PASS 0

/**
 * It works, and somebody should look at it.
 */
#define CW_HEALTH_WARN 1

/**
 * It does not work.
 */
#define CW_HEALTH_FAIL 2

/**
 * An archive whose directory was found good. The names and sizes of its files may be asked for on several threads at
 * once; reading content is for one call at a time.
 */
typedef struct cw_archive_reader cw_archive_reader;

/**
 * A zip archive in the making, for one call at a time: cw_archive_writer_add or cw_archive_writer_queue for each entry,
 * then cw_archive_writer_finish, without which nobody can read it.
 */
typedef struct cw_archive_writer cw_archive_writer;

/**
 * A request's body, read once, from its beginning to its end.
 */
typedef struct cw_body cw_body;

/**
 * Bytes that the library handed out. They end in a NUL byte that is not counted, so that a text can be read as a C
 * string, and are wiped from memory when the buffer is freed.
 */
typedef struct cw_buffer cw_buffer;

/**
 * Where a site's claims live: the embedded one, or the host's own. May be shared between threads.
 */
typedef struct cw_case_system cw_case_system;

/**
 * Where `catalogue` puts the types that are known. Borrowed for the time of that call.
 */
typedef struct cw_catalogue cw_catalogue;

/**
 * Where `load` puts the claim file. Borrowed for the time of that call.
 */
typedef struct cw_claim_file cw_claim_file;

/**
 * A decryption under way, for one call at a time: cw_decryptor_update as often as needed, then cw_decryptor_finish.
 *
 * WHAT COMES OUT IS NOT VERIFIED BEFORE cw_decryptor_finish RETURNED CW_OK, and with des-md5 not even then: only the
 * padding was checked, which 1 in 256 wrong keys passes. Let it go to a place that can be thrown away, and act on
 * nothing before that. cw_decrypt_file and cw_decrypt_stream hold it back for you.
 *
 * After cw_decryptor_finish, and after any failure, every further call fails with CW_ERR_INVALID_ARGUMENT.
 */
typedef struct cw_decryptor cw_decryptor;

/**
 * A drop folder that partners put requests into. May be shared between threads.
 */
typedef struct cw_directory_inbox cw_directory_inbox;

/**
 * Where `open_document` puts the bytes of a document. Borrowed for the time of that call.
 */
typedef struct cw_document cw_document;

/**
 * An encryption under way, for one call at a time: cw_encryptor_update as often as needed, then cw_encryptor_finish,
 * without which nobody can open what was written. After cw_encryptor_finish, and after any failure, every further
 * call fails with CW_ERR_INVALID_ARGUMENT.
 */
typedef struct cw_encryptor cw_encryptor;

/**
 * What went wrong: a code for programs, a sentence for people, and a line for each single fault.
 */
typedef struct cw_error cw_error;

/**
 * Something a host may want to show or act on, told after it was made durable. It names ids only; the reason of a
 * failure is a text for people, and may name the documents and fields it is about. Borrowed, with all that it gives
 * out, for the time of the callback.
 */
typedef struct cw_event cw_event;

/**
 * One site's side of the exchange. May be shared between threads; its calls block.
 */
typedef struct cw_exchange cw_exchange;

/**
 * What cw_exchange_open needs to know. For one thread at a time.
 */
typedef struct cw_exchange_settings cw_exchange_settings;

/**
 * Where a function of the host's says why it failed, see cw_failure_set. Borrowed for the time of that call.
 */
typedef struct cw_failure cw_failure;

/**
 * A request that a server hands over as it comes in. For one thread at a time.
 */
typedef struct cw_incoming_request cw_incoming_request;

/**
 * What opens: a password of des-md5, or this site's own age identity. May be shared between threads. Wiped when freed.
 */
typedef struct cw_opening_key cw_opening_key;

/**
 * Threads of the library's that send what is due. May be shared between threads.
 */
typedef struct cw_outbox cw_outbox;

/**
 * What this site settled with a partner, with its keys. May be shared between threads.
 */
typedef struct cw_partner cw_partner;

/**
 * A server that runs, on threads of its own. For one thread at a time.
 */
typedef struct cw_receiver cw_receiver;

/**
 * Where a transport of the host's own puts what came of sending.
 */
typedef struct cw_reply cw_reply;

/**
 * A request without its body. Borrowed: only what a transport of the host's own is called with has this type.
 */
typedef struct cw_request cw_request;

/**
 * The answer to a request: status, header fields and a small body. May be shared between threads.
 */
typedef struct cw_response cw_response;

/**
 * Messages that were sealed together.
 */
typedef struct cw_sealed_batch cw_sealed_batch;

/**
 * What seals: a password of des-md5, or the age recipients who shall be able to open. May be shared between threads.
 */
typedef struct cw_sealing_key cw_sealing_key;

/**
 * Where a cw_secret_fn puts the secret, see cw_secret_set. Borrowed for the time of that call; wiped after it.
 */
typedef struct cw_secret cw_secret;

/**
 * What this site signs its requests and receipts with, and the id under which partners find the key that checks it.
 * May be shared between threads. Wiped when freed.
 */
typedef struct cw_signing_key cw_signing_key;

/**
 * The documents whose bytes a set of changes brings, in files that stay the library's. Borrowed for the time of the
 * call that it is handed to.
 */
typedef struct cw_staged cw_staged;

/**
 * A way to one partner's target server. May be shared between threads and given to several partners.
 */
typedef struct cw_transport cw_transport;

/**
 * Tells one HTTP endpoint of a site's events. May be shared between threads.
 */
typedef struct cw_webhook cw_webhook;

/**
 * Takes a line of the log: `level` is one of CW_LOG_*, `target` the part of the library, `line` the text, without a line's
 * end. Both are UTF-8, NUL-terminated, and borrowed for the time of the call. Called on the threads that work, several at
 * once. What it calls of the library is not logged. It must not throw or longjmp.
 */
typedef void (*cw_log_fn)(void *user_data, int32_t level, const char *target, const char *line);

/**
 * Ends the host's `user_data`: called exactly once, when the library needs it no more, on any thread. A call that takes
 * a `cw_drop_fn` takes the data also when it fails. NULL where nothing is to be done.
 */
typedef void (*cw_drop_fn)(void *user_data);

/**
 * Bytes of the host's.
 */
typedef struct {
    /**
     * Where they begin. NULL stands for none where `len` is 0.
     */
    const uint8_t *data;
    /**
     * How many there are.
     */
    size_t len;
} cw_bytes;

/**
 * Takes the next `len` bytes, which are borrowed for the time of the call. Returns CW_OK, or another code to stop.
 */
typedef int32_t (*cw_write_fn)(void *user_data, const uint8_t *data, size_t len);

/**
 * Told how many bytes moved since the last call, about every 64 KiB, on the thread that works. Returns 0 to go on;
 * anything else stops the work, which then fails with CW_ERR_CANCELLED.
 */
typedef int32_t (*cw_progress_fn)(void *user_data, uint64_t bytes);

/**
 * Progress and cancellation of one call. To cancel from another thread, let `progress` look at a flag.
 */
typedef struct {
    /**
     * Set to sizeof(cw_watch).
     */
    size_t struct_size;
    /**
     * Told of the bytes that moved; NULL for nobody.
     */
    cw_progress_fn progress;
    /**
     * Handed to `progress`.
     */
    void *user_data;
} cw_watch;

/**
 * Puts up to `capacity` bytes into `buffer` and their number into `*len`; 0 is the end. Returns CW_OK, or another code
 * to stop.
 */
typedef int32_t (*cw_read_fn)(void *user_data, uint8_t *buffer, size_t capacity, size_t *len);

/**
 * How much an archive from outside may cost before it is refused. 0 stands for the default in each, and NULL instead
 * of the struct for all defaults.
 */
typedef struct {
    /**
     * Set to sizeof(cw_limits).
     */
    size_t struct_size;
    /**
     * All entries together inflate to at most this many bytes. Default: 2 GiB.
     */
    uint64_t inflated_size;
    /**
     * At most this many entries, and at most as many directories on the way to them. Default: 20,000.
     */
    uint64_t entries;
    /**
     * What is compressed inflates to at most this many times its size, looked at beyond 64 MiB. Default: 1000.
     */
    uint64_t ratio;
    /**
     * A name between two slashes has at most this many bytes of UTF-8. Default: 255.
     */
    size_t name_length;
    /**
     * A whole path has at most this many bytes of UTF-8. Default: 1024.
     */
    size_t path_length;
} cw_limits;

/**
 * How archives are compressed. 0 stands for the default in each, and NULL instead of the struct for all defaults.
 */
typedef struct {
    /**
     * Set to sizeof(cw_pack_options).
     */
    size_t struct_size;
    /**
     * At most this many threads, the caller's among them; they have ended when the call returns. The number changes
     * nothing about the bytes. Default: as many as the machine runs at once.
     */
    uint32_t threads;
    /**
     * The level of compression, from 1 (least work) to 9 (most); more work mostly gives less to send, but not for every
     * content. Default: 3.
     */
    uint32_t level;
    /**
     * What entries are compressed with: "deflate", which every unzip tool reads, or "zstd", Zstandard, for recipients
     * that read it. Borrowed during the call; NULL for "deflate". An exchange takes the partner's setting instead.
     */
    const char *compression;
    /**
     * The length of `compression` in bytes.
     */
    size_t compression_len;
    /**
     * 1 to compress nothing: every entry is stored as it is, whatever `level` says. Else 0.
     */
    int32_t store;
} cw_pack_options;

/**
 * How archives are unpacked. 0 stands for the default in each, and NULL instead of the struct for all defaults.
 */
typedef struct {
    /**
     * Set to sizeof(cw_unpack_options).
     */
    size_t struct_size;
    /**
     * At most this many threads, the caller's among them; they have ended when the call returns. Default: as many as the
     * machine runs at once, and one for less than 1 MiB.
     */
    uint32_t threads;
    /**
     * Unless NULL, gets a buffer, NULL after a failure, with the files that were unpacked, in the archive's order, as JSON:
     * [{"name":..,"size":..,"sha256":..},..], each as it was measured.
     */
    cw_buffer **files;
} cw_unpack_options;

/**
 * Where an HTTPS transport posts to, whom it trusts, and what it shows of itself. All but the address may be left zero;
 * texts and bytes are copied, secrets wiped when the transport ends. Timeouts are in milliseconds: 0 for the default,
 * CW_NO_LIMIT for none.
 */
typedef struct {
    /**
     * Set to sizeof(cw_https_options).
     */
    size_t struct_size;
    /**
     * The partner's endpoint, such as "https://exchange.example.com/claimwire"; http for this machine alone.
     */
    const char *url;
    /**
     * The length of `url` in bytes.
     */
    size_t url_len;
    /**
     * The certificates (PEM, one or more) that the partner's certificate may lead to. Needed for https: there is no
     * built-in list.
     */
    const uint8_t *root_pem;
    /**
     * The length of `root_pem` in bytes.
     */
    size_t root_pem_len;
    /**
     * The certificate chain (PEM) shown to a partner that asks; together with `client_key_pem`.
     */
    const uint8_t *client_chain_pem;
    /**
     * The length of `client_chain_pem` in bytes.
     */
    size_t client_chain_pem_len;
    /**
     * The private key (PEM; PKCS #8, PKCS #1 or SEC 1) of that certificate.
     */
    const uint8_t *client_key_pem;
    /**
     * The length of `client_key_pem` in bytes.
     */
    size_t client_key_pem_len;
    /**
     * The token for a partner that asks for `Authorization: Bearer`; one line end after it is taken off.
     */
    const char *bearer_token;
    /**
     * The length of `bearer_token` in bytes.
     */
    size_t bearer_token_len;
    /**
     * The proxy to go through to an https address, such as "http://proxy.example.com:3128"; NULL for none. It is asked
     * over plain http, and all but the partner's host goes through it under the partner's TLS. Proxies that are asked over
     * TLS (https://) or SOCKS are refused, and so is any for an http address, which does not leave this machine.
     */
    const char *proxy;
    /**
     * The length of `proxy` in bytes.
     */
    size_t proxy_len;
    /**
     * 1 takes the proxy from the environment (HTTPS_PROXY, ALL_PROXY, NO_PROXY); `proxy` is then NULL. For an http
     * address there is none, whatever it says.
     */
    uint64_t proxy_from_environment;
    /**
     * The whole request. By default without limit: it depends on the package's size.
     */
    uint64_t whole_call_ms;
    /**
     * Looking up the host's address; by default 10 s.
     */
    uint64_t resolve_ms;
    /**
     * Setting up TCP, proxy and TLS; by default 20 s.
     */
    uint64_t connect_ms;
    /**
     * Writing the header fields; by default 20 s.
     */
    uint64_t send_headers_ms;
    /**
     * Waiting for `100 Continue`; when it runs out, the body is sent. By default 10 s.
     */
    uint64_t await_continue_ms;
    /**
     * Writing the body. By default without limit: `stalled_write_ms` ends a dead connection.
     */
    uint64_t send_body_ms;
    /**
     * Waiting for the answer, while the partner stores the package; by default 120 s.
     */
    uint64_t first_byte_ms;
    /**
     * Reading the answer's body; by default 30 s.
     */
    uint64_t receive_body_ms;
    /**
     * A single write without progress; by default 60 s.
     */
    uint64_t stalled_write_ms;
    /**
     * From how many bytes on a package is sent so that it can be gone on with when it is cut off: 0 for the default, 8
     * MiB, CW_NO_LIMIT for never.
     */
    uint64_t resume_from_bytes;
    /**
     * The most bytes of one request of such a package, where something between the sites takes no more; 0 sends all
     * there is in one.
     */
    uint64_t part_bytes;
} cw_https_options;

/**
 * Carries one request to the partner, waits for the answer, and puts it into `reply`. Called on the thread that sends,
 * and on several threads at once when several send. All handles are borrowed for the time of the call. An unpack sends
 * its acknowledgement; the thread of an automatic one is the library's own, "claimwire-unpack"; see cw_exchange_free.
 *
 * - Send method, path, header fields and body exactly as they are: they are signed. Host, Content-Length, Connection
 *   and the like are yours to add.
 * - Send exactly cw_body_len bytes, read by cw_body_read. When reading fails, break the connection off, so that the
 *   partner does not take what it has for the whole, and return the code.
 * - Every status is an answer, also one that refuses: CW_OK, with cw_reply_status. It may come before the body was
 *   sent; then stop sending and take it. Do not follow redirects, and do not retry: the library does.
 * - Bound the time you wait, and return CW_ERR_TIMED_OUT when it is over. Return CW_ERR_UNREACHABLE when there is no
 *   connection or it breaks, CW_ERR_BAD_CERTIFICATE when the partner is not who it shall be, CW_ERR_BAD_MESSAGE for an
 *   answer that is none. The code decides whether the package is sent again by itself, unless cw_failure_set said so.
 */
typedef int32_t (*cw_send_fn)(void *user_data,
                              const cw_request *request,
                              cw_body *body,
                              cw_reply *reply,
                              cw_failure *failure);

/**
 * A transport of the host's own.
 */
typedef struct {
    /**
     * Set to sizeof(cw_transport_functions).
     */
    size_t struct_size;
    /**
     * Carries a request; must not be NULL.
     */
    cw_send_fn send;
    /**
     * The path of the partner's endpoint, which every request's path begins with, such as "/claimwire". Borrowed; NULL
     * where the endpoint has none.
     */
    const char *base_path;
    /**
     * The length of `base_path` in bytes.
     */
    size_t base_path_len;
    /**
     * 1 when answers come later, by cw_reply_pending and then by sending the request again; 0 when they come at once: then
     * the partner is asked for a package whose answer was lost before that is sent again.
     */
    int32_t answers_later;
    /**
     * From how many bytes on a package is sent so that it can be gone on with when it is cut off. Then `send` is also
     * given the method HEAD, and PATCH with a body. 0, or CW_NO_LIMIT, for never.
     */
    uint64_t resume_from_bytes;
    /**
     * The most bytes of one request of such a package, where something between the sites takes no more; 0 sends all
     * there is in one.
     */
    uint64_t part_bytes;
} cw_transport_functions;

/**
 * Loads the claim file with this exchange id: give it with cw_claim_file_give, or give nothing and return CW_OK when
 * there is no such claim. Texts and handles are borrowed for the time of the call. Like all functions of a case system,
 * it is called on the thread that exports, unpacks or answers, and on several at once. For a partner whose packages are
 * unpacked automatically that thread is the library's own, "claimwire-unpack"; see cw_exchange_free.
 */
typedef int32_t (*cw_load_fn)(void *user_data,
                              const char *claim,
                              cw_claim_file *out,
                              cw_failure *failure);

/**
 * Opens the bytes of a document as it stands now: give them with cw_document_give_path, _descriptor or _reader. Return
 * CW_ERR_UNKNOWN_CLAIM when the claim or the document is not here, CW_ERR_STORE_DAMAGED when its bytes are lost.
 */
typedef int32_t (*cw_open_document_fn)(void *user_data,
                                       const char *claim,
                                       const char *document,
                                       cw_document *out,
                                       cw_failure *failure);

/**
 * Applies a set of changes to one claim in one transaction: all of it or nothing, durable when it returns CW_OK.
 *
 * `changes` is the set as JSON, `claim` the id of the claim it is for, and `by` the person or account that unpacks.
 * `documents` are those whose bytes change, in files that stay the library's: copy them, best with cw_staged_copy, and
 * before the claim file speaks of them. Within the transaction, load the claim file, let cw_changes_apply work out the
 * new one, and store it. Applying the same set again must be harmless, and with cw_changes_apply is.
 *
 * Return CW_ERR_CONFLICT when the claim was changed here since it was loaded, CW_ERR_ALTERED when a document's bytes are
 * not those its "sha256" names, CW_ERR_CASE_SYSTEM when the store fails; nothing may be changed then. Return
 * CW_ERR_TIMED_OUT when the store does not know whether it took the set: the package can be unpacked again, and cannot be
 * rejected. The library has refused sets that a person has to settle first, and sets whose documents are not there, before
 * this is called.
 */
typedef int32_t (*cw_apply_fn)(void *user_data,
                               const char *claim,
                               const char *changes,
                               size_t changes_len,
                               const cw_staged *documents,
                               const char *by,
                               cw_failure *failure);

/**
 * Tells which types are known: give them with cw_catalogue_give, or give nothing where every type is.
 */
typedef int32_t (*cw_catalogue_fn)(void *user_data, cw_catalogue *out, cw_failure *failure);

/**
 * A case system of the host's own.
 */
typedef struct {
    /**
     * Set to sizeof(cw_case_system_functions).
     */
    size_t struct_size;
    /**
     * Loads a claim file; must not be NULL.
     */
    cw_load_fn load;
    /**
     * Opens a document; must not be NULL.
     */
    cw_open_document_fn open_document;
    /**
     * Applies changes; must not be NULL.
     */
    cw_apply_fn apply;
    /**
     * Tells the types that are known; NULL where every type is.
     */
    cw_catalogue_fn catalogue;
} cw_case_system_functions;

/**
 * Gives the secret that settings call `{ host = "name" }` out of the host's own store: by cw_secret_set, and then
 * returns CW_OK. Returns another code, and may say why with cw_failure_set, when it has none of that name. `name` is
 * borrowed for the time of the call, which is on the thread that reads the settings.
 */
typedef int32_t (*cw_secret_fn)(void *user_data,
                                const char *name,
                                size_t name_len,
                                cw_secret *secret,
                                cw_failure *failure);

/**
 * The host's own store of secrets. It is asked while a partner is read from settings, and not kept.
 */
typedef struct {
    /**
     * Set to sizeof(cw_secrets).
     */
    size_t struct_size;
    /**
     * Gives a secret by its name.
     */
    cw_secret_fn secret;
    /**
     * Handed to `secret`.
     */
    void *user_data;
} cw_secrets;

/**
 * Where a webhook posts to and how long it tries. 0 and NULL stand for the default.
 */
typedef struct {
    /**
     * Set to sizeof(cw_webhook_options).
     */
    size_t struct_size;
    /**
     * The id of the site whose events are told. Required.
     */
    const char *site;
    /**
     * The length of `site` in bytes.
     */
    size_t site_len;
    /**
     * The endpoint: an https address, or an http one of this machine. Required, unless `https` says it.
     */
    const char *url;
    /**
     * The length of `url` in bytes.
     */
    size_t url_len;
    /**
     * The folder, the webhook's own, in which events wait; made, for this user alone, when it is not there. Required.
     */
    const char *folder;
    /**
     * The length of `folder` in bytes.
     */
    size_t folder_len;
    /**
     * What messages are signed with, "whsec_…". Required.
     */
    const char *secret;
    /**
     * The length of `secret` in bytes.
     */
    size_t secret_len;
    /**
     * Another secret to sign with as well: the old one, while a new one is introduced.
     */
    const char *other_secret;
    /**
     * The length of `other_secret` in bytes.
     */
    size_t other_secret_len;
    /**
     * The authorities, as PEM, that the endpoint's certificate must lead to. Required for https.
     */
    const uint8_t *root_certificates;
    /**
     * The length of `root_certificates` in bytes.
     */
    size_t root_certificates_len;
    /**
     * A token for the endpoint, sent as Authorization: Bearer; one line end after it is taken off.
     */
    const char *bearer_token;
    /**
     * The length of `bearer_token` in bytes.
     */
    size_t bearer_token_len;
    /**
     * The most events that wait, and the most that are kept after they were given up; by default 10,000.
     */
    uint32_t capacity;
    /**
     * The most tries, the first among them; by default 14.
     */
    uint32_t tries;
    /**
     * The wait after the first try; by default 5,000 ms.
     */
    uint32_t first_delay_ms;
    /**
     * By what each wait grows; by default 4.
     */
    uint32_t factor;
    /**
     * The longest wait, at most seven days; by default 12 hours.
     */
    uint64_t longest_delay_ms;
    /**
     * The age at which a message that fails is given up; by default 5 days.
     */
    uint64_t max_age_ms;
    /**
     * All that the way to the endpoint needs, such as a proxy, a client certificate or timeouts, in the place of `url`,
     * `root_certificates` and `bearer_token`, which are NULL then. Read during the call; NULL for those three alone. A try
     * takes at most 30 s unless `whole_call_ms` says otherwise.
     */
    const cw_https_options *https;
} cw_webhook_options;

/**
 * Told of troubles with delivery, on the thread that met them: `trouble` is one of CW_TROUBLE_*, and a later version may
 * have more; `message` is the id of the message it is about, or NULL. `why` is borrowed for the time of the call. It must
 * not call cw_webhook_deliver_due or cw_webhook_retry_failed, and must not throw or longjmp.
 */
typedef void (*cw_trouble_fn)(void *user_data,
                              int32_t trouble,
                              const char *message,
                              const cw_error *why);

/**
 * Told of each event, on the thread that did the work and after the work was made durable; on several threads at once
 * where several work. What is unpacked automatically is told of on the library's own thread "claimwire-unpack"; see
 * cw_exchange_free. It may call functions of the same exchange, and must not free it. A slow one slows the work: take
 * the event down and return. It must not throw or longjmp.
 *
 * A later version may tell of kinds that this header does not have: pass over what you do not know.
 */
typedef void (*cw_event_fn)(void *user_data, const cw_event *event);

/**
 * What an incoming package may cost to read. 0 stands for the default.
 */
typedef struct {
    /**
     * Set to sizeof(cw_package_limits).
     */
    size_t struct_size;
    /**
     * The most bytes that all entries together inflate to; by default 2 GiB.
     */
    uint64_t inflated_size;
    /**
     * The most entries, and the most directories on the way to them; by default 20,000.
     */
    uint64_t entries;
    /**
     * The most bytes of a name between two slashes; by default 255.
     */
    uint64_t name_length;
    /**
     * The most bytes of a whole path; by default 1024.
     */
    uint64_t path_length;
    /**
     * How many times its size something compressed may inflate to, looked at beyond 64 MiB; by default 1000.
     */
    uint64_t ratio;
    /**
     * The most bytes of the claim file, and of the manifest; by default 32 MiB each.
     */
    uint64_t json_size;
    /**
     * The most levels of JSON, at most 128; by default 32.
     */
    uint32_t json_depth;
} cw_package_limits;

/**
 * Scans one document for malware. `document` is its exchange id; `path` names a private file with its verified bytes, in
 * UTF-8: only to be read, and gone when the unpack is over. Both are borrowed for the time of the call.
 *
 * Return CW_OK when it is clean. When it is infected, name what was found with cw_failure_set, as the message of
 * CW_ERR_INFECTED_DOCUMENT, and return that code. Every other code means that there is no verdict, and fails the unpack
 * with CW_ERR_SCAN_FAILED.
 *
 * It is called on the thread that unpacks, and on several at once where several unpack. What is unpacked automatically
 * is unpacked on the library's own thread "claimwire-unpack"; see cw_exchange_free.
 */
typedef int32_t (*cw_scan_fn)(void *user_data,
                              const char *document,
                              const char *path,
                              cw_failure *failure);

/**
 * Where a ClamAV daemon listens, and how long it may take.
 */
typedef struct {
    /**
     * Set to sizeof(cw_clamd_options).
     */
    size_t struct_size;
    /**
     * The absolute path of its Unix socket, or "host:port". Required.
     */
    const char *address;
    /**
     * The length of `address` in bytes.
     */
    size_t address_len;
    /**
     * How long one document may take; by default three minutes.
     */
    uint64_t timeout_ms;
    /**
     * 1 for a "host:port" on another machine: documents go there unencrypted, over a network that is trusted with them.
     */
    int32_t on_trusted_network;
} cw_clamd_options;

/**
 * How one export is made.
 */
typedef struct {
    /**
     * Set to sizeof(cw_export_options).
     */
    size_t struct_size;
    /**
     * Who asks for the export, as this site names people; goes into the history and into the package.
     */
    const char *by;
    /**
     * The length of `by` in bytes.
     */
    size_t by_len;
    /**
     * The assessments to take along, beside those whose status is forced to export: their exchange ids as a JSON array.
     * NULL for every assessment that the partner's settings allow.
     */
    const char *assessments;
    /**
     * The length of `assessments` in bytes.
     */
    size_t assessments_len;
} cw_export_options;

/**
 * A header field that the host hands in: bytes as they came off the wire, without the white space around them.
 */
typedef struct {
    /**
     * The name, such as "content-length"; upper and lower case are the same.
     */
    const char *name;
    /**
     * Its length in bytes.
     */
    size_t name_len;
    /**
     * The value.
     */
    const char *value;
    /**
     * Its length in bytes.
     */
    size_t value_len;
} cw_header;

/**
 * What the connection proves about the one who asks.
 */
typedef struct {
    /**
     * Set to sizeof(cw_peer).
     */
    size_t struct_size;
    /**
     * The client certificate, DER, once the TLS layer has checked that the client holds its key. NULL for none.
     */
    const uint8_t *certificate;
    /**
     * Its length in bytes.
     */
    size_t certificate_len;
    /**
     * Where the connection comes from, such as "192.0.2.7:50123" or "[2001:db8::7]:50123". NULL when not known.
     */
    const char *address;
    /**
     * The length of `address` in bytes.
     */
    size_t address_len;
    /**
     * 1 when the request lies in a file or a queue until it is answered, and may be handed in again after a crash: the
     * very same request is then no replay. 0 for one that comes over the network.
     */
    int32_t stored;
} cw_peer;

/**
 * Where the built-in receiver listens, what it shows of itself, and what strangers may cost. All certificates and keys
 * are PEM. 0 and NULL stand for the default.
 */
typedef struct {
    /**
     * Set to sizeof(cw_receiver_options).
     */
    size_t struct_size;
    /**
     * Where to listen, such as "0.0.0.0:8443"; port 0 takes a free one. Required.
     */
    const char *address;
    /**
     * The length of `address` in bytes.
     */
    size_t address_len;
    /**
     * The server's certificate chain, its own first. Required.
     */
    const uint8_t *certificates;
    /**
     * The length of `certificates` in bytes.
     */
    size_t certificates_len;
    /**
     * The server's private key: PKCS #8, PKCS #1 or SEC 1. Required.
     */
    const uint8_t *private_key;
    /**
     * The length of `private_key` in bytes.
     */
    size_t private_key_len;
    /**
     * The authorities that client certificates must lead to; by default no certificate is asked for.
     */
    const uint8_t *client_authorities;
    /**
     * The length of `client_authorities` in bytes.
     */
    size_t client_authorities_len;
    /**
     * 1 to take clients without a certificate too, where `client_authorities` are given.
     */
    int32_t client_certificates_optional;
    /**
     * The most connections that are open at once; by default 256. When there are as many, a newcomer takes the place of
     * one that has not proven to be a partner's: the oldest of the address that has the most of them.
     */
    uint32_t max_connections;
    /**
     * The most requests of partners that are handled at once, each on one thread; by default 32. Eight more threads look
     * at who asks.
     */
    uint32_t max_requests;
    /**
     * How long the TLS handshake may take, and after it the header fields; by default 10,000 ms.
     */
    uint32_t header_deadline_ms;
    /**
     * How long a body may stand still; by default 30,000 ms.
     */
    uint32_t body_idle_ms;
    /**
     * How long the rest of a body is read and dropped after an early answer; by default 2,000 ms.
     */
    uint32_t drain_ms;
    /**
     * The most bytes of a body; by default 262,144,000 (250 MiB).
     */
    uint64_t max_body_bytes;
    /**
     * The least bytes per second that a body must bring on average; by default 4,096.
     */
    uint64_t min_body_rate;
    /**
     * The most connections that come from one address, or one IPv6 network of 64 bits; by default 64. A newcomer takes
     * the place of the oldest of its own address. UINT32_MAX for no bound beside `max_connections`, where all come
     * through one proxy.
     */
    uint32_t max_connections_per_address;
    /**
     * The most of `max_requests` that one partner takes, where it is to be less than by default: then a partner takes
     * another only while it holds fewer than are free, so half of them when it is alone. What is above is told to come
     * back. Of 64 bits, since smaller it would lie where a host of before has padding.
     */
    uint64_t max_requests_per_partner;
} cw_receiver_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is loaded, such as "0.1.0". Compare it with the CW_VERSION macros, which tell what
 * the host was compiled for: the same or a later one fits, as long as CW_ABI_VERSION is the same. Static; never NULL.
 */
const char *cw_version(void);

/**
 * The CW_ABI_VERSION of the library that is loaded.
 */
uint32_t cw_abi_version(void);

/**
 * Whether the library can do something: "des-md5", "age" (suites); "deflate", "zstd" (compressions); "https",
 * "directory" (transports); "receiver", "webhook", "sqlite", "toml". 1 if so, 0 if not or if the name is not known.
 */
int32_t cw_has_capability(const char *name,
                          size_t name_len);

/**
 * The name of a code, such as "wrong-key", as it stands in logs, receipts and problem types; "ok" for CW_OK; "unknown"
 * for a number that this version does not know. Static; never NULL.
 */
const char *cw_code_name(int32_t code);

/**
 * The code of a name as JSON and histories have it, such as "wrong-key" or "unreachable"; 0 for a name that this version
 * does not know, and for what is none.
 */
int32_t cw_code_of_name(const char *name,
                        size_t name_len);

/**
 * Whether the same call may succeed later with nothing changed by a person: 1 if so. An error's own word,
 * cw_error_is_retryable, goes before this general one.
 */
int32_t cw_code_is_retryable(int32_t code);

/**
 * The error's code, one of CW_ERR_*: the same that the function returned. 0 for NULL.
 */
int32_t cw_error_code(const cw_error *error);

/**
 * The name of the error's code, such as "wrong-key". Static; "ok" for NULL.
 */
const char *cw_error_name(const cw_error *error);

/**
 * What happened, to which claim, document or partner, and what to do: UTF-8 for people, without any key or content.
 * Borrowed from the error; "" for NULL.
 */
const char *cw_error_message(const cw_error *error);

/**
 * Whether the same call may succeed later with nothing changed by a person: 1 if so.
 */
int32_t cw_error_is_retryable(const cw_error *error);

/**
 * Whether what was asked may have been done all the same, because it was sent and no answer came: 1 if so. Then the call
 * is retryable too; cw_exchange_send asks the partner before it sends the package again.
 */
int32_t cw_error_is_ambiguous(const cw_error *error);

/**
 * For how many milliseconds the partner asks to be left alone (Retry-After); 0 where it does not.
 */
int64_t cw_error_retry_after_ms(const cw_error *error);

/**
 * How many single faults the error sums up: violated rules, mistakes in settings. Mostly 0.
 */
size_t cw_error_detail_count(const cw_error *error);

/**
 * The sentence on one single fault, counted from 0. Borrowed from the error; NULL when there are not so many.
 */
const char *cw_error_detail(const cw_error *error,
                            size_t index);

/**
 * The stable code of one single fault, such as "document-name" for a violated rule. Borrowed from the error; NULL when
 * it has none or there are not so many.
 */
const char *cw_error_detail_code(const cw_error *error,
                                 size_t index);

/**
 * What one single fault is about: the exchange id of a record, or the place in the settings. Borrowed from the error;
 * NULL when it is not known or there are not so many.
 */
const char *cw_error_detail_subject(const cw_error *error,
                                    size_t index);

/**
 * What to put in the place of what is wrong, such as a document's name that would do. Borrowed from the error; NULL when
 * there is no proposal or there are not so many.
 */
const char *cw_error_detail_proposal(const cw_error *error,
                                     size_t index);

/**
 * Ends an error and all texts borrowed from it. NULL is none.
 */
void cw_error_free(cw_error *error);

/**
 * The bytes, NUL-terminated. Borrowed from the buffer; NULL for NULL.
 */
const uint8_t *cw_buffer_data(const cw_buffer *buffer);

/**
 * How many bytes there are, the NUL at the end not counted. 0 for NULL.
 */
size_t cw_buffer_len(const cw_buffer *buffer);

/**
 * Wipes and ends a buffer. NULL is none.
 */
void cw_buffer_free(cw_buffer *buffer);

/**
 * The value at a place in a JSON document: `pointer` is a JSON Pointer (RFC 6901), such as "/package/id" or
 * "/notes/0/body". A string is given as its text, everything else as JSON.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT when `json` is not JSON or has nothing at that place.
 */
int32_t cw_json_get(const char *json,
                    size_t json_len,
                    const char *pointer,
                    size_t pointer_len,
                    cw_buffer **out,
                    cw_error **error);

/**
 * A text as a JSON string, quotes included, to be put into a JSON document.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT when the text is not UTF-8.
 */
int32_t cw_json_quote(const char *value, size_t value_len, cw_buffer **out, cw_error **error);

/**
 * Says why a function of the host's fails; that function then returns `code`. `code` is one of CW_ERR_*, and the
 * message is for people: what happened and what to do, without secrets. With `retryable` 1 the same work may succeed
 * later, with 0 a person has to do something first, and with -1 the code's usual word holds.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_failure_set(cw_failure *failure,
                       int32_t code,
                       const char *message,
                       size_t message_len,
                       int32_t retryable,
                       cw_error **error);

/**
 * Says a single fault of several, such as a rule of the host's own that a package violates; once for each, beside
 * cw_failure_set. It reaches the error's details, the history, and with CW_ERR_IMPORT_RULES_VIOLATED the sender. `message`
 * is for people. For programs, each NULL where there is none: `code` is a stable name of the host's or one of the
 * library's, `subject` the exchange id of the record it is about, `proposal` what would do instead.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_failure_add_detail(cw_failure *failure,
                              const char *message,
                              size_t message_len,
                              const char *code,
                              size_t code_len,
                              const char *subject,
                              size_t subject_len,
                              const char *proposal,
                              size_t proposal_len,
                              cw_error **error);

/**
 * Says that it is not known whether what was asked was done all the same: it was sent, and no answer came. The failure is
 * retryable then.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_failure_set_ambiguous(cw_failure *failure,
                                 cw_error **error);

/**
 * Says for how many milliseconds the other side asks to be left alone, as Retry-After of HTTP does.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_failure_set_retry_after_ms(cw_failure *failure, uint64_t wait_ms, cw_error **error);

/**
 * Hands every line of the log up to `level`, one of CW_LOG_*, to `log`, in place of whatever was given before; NULL or
 * CW_LOG_OFF ends the log. It holds for the whole process. `user_data` is kept until it is replaced and no line is being
 * told, and is then ended with `drop`; so it is when this fails. No line holds a key, a person's data, a document's name or
 * anything out of a package.
 *
 * Errors: CW_ERR_WRONG_STATE when something else in the process takes the log already; CW_ERR_INVALID_ARGUMENT for an
 * unknown level.
 */
int32_t cw_set_log(int32_t level,
                   cw_log_fn log,
                   void *user_data,
                   cw_drop_fn drop,
                   cw_error **error);

/**
 * A key of the suite des-md5, for partners that can do no better: anyone who rents a GPU breaks it. `password` is 1 or
 * more characters of printable ASCII. `framing` is "salt-prefix", "openssl" or "bare"; `salt` is 8 bytes for "bare" and
 * NULL for the others. `iterations` 0 stands for what the framing's peers use: 1000, and 1 with "openssl".
 *
 * Errors: CW_ERR_INVALID_KEY, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_sealing_key_des_md5(const uint8_t *password,
                               size_t password_len,
                               const char *framing,
                               size_t framing_len,
                               const uint8_t *salt,
                               uint32_t iterations,
                               cw_sealing_key **out,
                               cw_error **error);

/**
 * The same key for opening; see cw_sealing_key_des_md5.
 */
int32_t cw_opening_key_des_md5(const uint8_t *password,
                               size_t password_len,
                               const char *framing,
                               size_t framing_len,
                               const uint8_t *salt,
                               uint32_t iterations,
                               cw_opening_key **out,
                               cw_error **error);

/**
 * A key that seals for age recipients, "age1...", 1 to 300 of them separated by spaces or line ends. Each can open what is
 * sealed; none learns who the others are.
 *
 * Errors: CW_ERR_INVALID_KEY, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_sealing_key_age(const char *recipients,
                           size_t recipients_len,
                           cw_sealing_key **out,
                           cw_error **error);

/**
 * A key that opens what was sealed for an age identity: "AGE-SECRET-KEY-1...", or a key file as age-keygen writes it.
 *
 * Errors: CW_ERR_INVALID_KEY, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_opening_key_age(const char *identity,
                           size_t identity_len,
                           cw_opening_key **out,
                           cw_error **error);

/**
 * A new age identity: the secret "AGE-SECRET-KEY-1...", to be stored where only this site reads, and the recipient
 * "age1..." to hand to partners.
 */
int32_t cw_age_generate(cw_buffer **identity,
                        cw_buffer **recipient,
                        cw_error **error);

/**
 * The recipient "age1..." that belongs to an opening key of the suite age.
 *
 * Errors: CW_ERR_INVALID_KEY for a key of another suite, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_opening_key_recipient(const cw_opening_key *key, cw_buffer **out, cw_error **error);

/**
 * Ends a sealing key. NULL is none.
 */
void cw_sealing_key_free(cw_sealing_key *key);

/**
 * Wipes and ends an opening key. NULL is none.
 */
void cw_opening_key_free(cw_opening_key *key);

/**
 * Encrypts bytes in memory.
 *
 * Errors: CW_ERR_IO when the system has no randomness to give, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_encrypt_bytes(const cw_sealing_key *key,
                         const uint8_t *plaintext,
                         size_t plaintext_len,
                         cw_buffer **out,
                         cw_error **error);

/**
 * Decrypts bytes in memory. Nothing is given out unless all of it was found good; with des-md5 that means the padding
 * alone, so check a digest or a signature as well.
 *
 * Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_decrypt_bytes(const cw_opening_key *key,
                         const uint8_t *sealed,
                         size_t sealed_len,
                         cw_buffer **out,
                         cw_error **error);

/**
 * Encrypts many messages in memory for one partner: each becomes what cw_encrypt_bytes makes of it, with a salt or header of
 * its own. With des-md5 this is several times as fast as one call for each, where messages are small and many; with age
 * it is no faster. `plaintexts` points to `count` of them; NULL stands for none where `count` is 0.
 *
 * Errors: CW_ERR_IO when the system has no randomness to give, CW_ERR_INVALID_ARGUMENT. The message says which of the
 * plaintexts it is about, counted from 0.
 */
int32_t cw_encrypt_batch(const cw_sealing_key *key,
                         const cw_bytes *plaintexts,
                         size_t count,
                         cw_sealed_batch **out,
                         cw_error **error);

/**
 * How many messages there are. 0 for NULL.
 */
size_t cw_sealed_batch_count(const cw_sealed_batch *batch);

/**
 * A sealed message, counted from 0 in the order of the plaintexts. Borrowed from the batch; NULL when there are not so many.
 */
const uint8_t *cw_sealed_batch_data(const cw_sealed_batch *batch,
                                    size_t index);

/**
 * How many bytes a sealed message has, counted as by cw_sealed_batch_data. 0 when there are not so many.
 */
size_t cw_sealed_batch_len(const cw_sealed_batch *batch,
                           size_t index);

/**
 * Ends a batch and what was borrowed from it. NULL is none.
 */
void cw_sealed_batch_free(cw_sealed_batch *batch);

/**
 * Starts an encryption for `key`, which is borrowed. Ciphertext goes to `write`, from within the calls and on their
 * thread; the first bytes already from within this one. With `write` NULL it waits until cw_encryptor_take gives it
 * out, for hosts that cannot give functions. `user_data` is handed to `write` and ended by `drop`, which may be NULL.
 *
 * Errors: CW_ERR_IO when the system has no randomness to give, what `write` returned, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_encryptor_new(const cw_sealing_key *key,
                         cw_write_fn write,
                         void *user_data,
                         cw_drop_fn drop,
                         cw_encryptor **out,
                         cw_error **error);

/**
 * Encrypts the next bytes. Up to 64 KiB are held back until more comes.
 *
 * Errors: what `write` returned, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_encryptor_update(cw_encryptor *encryptor,
                            const uint8_t *plaintext,
                            size_t plaintext_len,
                            cw_error **error);

/**
 * Encrypts what was held back. Only after this the sealed bytes are complete.
 *
 * Errors: what `write` returned, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_encryptor_finish(cw_encryptor *encryptor, cw_error **error);

/**
 * Gives out the ciphertext that came since the last time, of an encryptor that was made without `write`. It may be
 * empty. Take it after each cw_encryptor_update, so that it does not pile up, and after cw_encryptor_finish.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_encryptor_take(cw_encryptor *encryptor,
                          cw_buffer **out,
                          cw_error **error);

/**
 * Wipes and ends an encryption, finished or not; it finishes nothing. NULL is none.
 */
void cw_encryptor_free(cw_encryptor *encryptor);

/**
 * Starts a decryption with `key`, which is borrowed. Plaintext goes to `write`, from within the calls and on their
 * thread. With `write` NULL it waits until cw_decryptor_take gives it out, for hosts that cannot give functions.
 * `user_data` is handed to `write` and ended by `drop`, which may be NULL.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_decryptor_new(const cw_opening_key *key,
                         cw_write_fn write,
                         void *user_data,
                         cw_drop_fn drop,
                         cw_decryptor **out,
                         cw_error **error);

/**
 * Decrypts the next sealed bytes, of any number. Up to 64 KiB are held back until more comes.
 *
 * Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, as soon as they show; what
 * `write` returned; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_decryptor_update(cw_decryptor *decryptor,
                            const uint8_t *sealed,
                            size_t sealed_len,
                            cw_error **error);

/**
 * Decrypts what was held back, and says whether everything that came out was good: only after CW_OK it is.
 *
 * Errors: as for cw_decryptor_update.
 */
int32_t cw_decryptor_finish(cw_decryptor *decryptor,
                            cw_error **error);

/**
 * Gives out the plaintext that came since the last time, of a decryptor that was made without `write`: not verified
 * before cw_decryptor_finish. It may be empty. Take it after each cw_decryptor_update, so that it does not pile up,
 * and after cw_decryptor_finish.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_decryptor_take(cw_decryptor *decryptor,
                          cw_buffer **out,
                          cw_error **error);

/**
 * Wipes and ends a decryption, finished or not. NULL is none.
 */
void cw_decryptor_free(cw_decryptor *decryptor);

/**
 * Encrypts the file `from` into the file `to`. That is synced to the disk before it gets its name, and readable for
 * this user only; what stood there is replaced, and after a failure stays as it was. `watch` is told of the bytes
 * read; it may be NULL. `written`, unless NULL, gets the number of bytes written.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT when a path leads nowhere, CW_ERR_IO, CW_ERR_CANCELLED.
 */
int32_t cw_encrypt_file(const cw_sealing_key *key,
                        const char *from,
                        size_t from_len,
                        const char *to,
                        size_t to_len,
                        const cw_watch *watch,
                        uint64_t *written,
                        cw_error **error);

/**
 * Decrypts the file `from` into the file `to`, which gets its name only when all was decrypted and found good; else as
 * cw_encrypt_file. With des-md5 "found good" means the padding alone, so check a digest or a signature as well.
 *
 * Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, and those of cw_encrypt_file.
 */
int32_t cw_decrypt_file(const cw_opening_key *key,
                        const char *from,
                        size_t from_len,
                        const char *to,
                        size_t to_len,
                        const cw_watch *watch,
                        uint64_t *written,
                        cw_error **error);

/**
 * Encrypts what the descriptor `from` gives up to its end into the descriptor `to`: files, pipes, sockets. Both stay
 * open and are the host's. `watch` is told of the bytes read; it may be NULL. `written`, unless NULL, gets the number
 * of bytes written. On Unix only; elsewhere take cw_encrypt_stream.
 *
 * Errors: CW_ERR_IO, CW_ERR_CANCELLED, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_encrypt_fd(const cw_sealing_key *key,
                      int32_t from,
                      int32_t to,
                      const cw_watch *watch,
                      uint64_t *written,
                      cw_error **error);

/**
 * Decrypts what the descriptor `from` gives up to its end into the descriptor `to`, which gets nothing before all was
 * decrypted and found good: more than 1 MiB waits in an unnamed file in the system's folder for temporary files. With
 * des-md5 "found good" means the padding alone. Else as cw_encrypt_fd.
 *
 * Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, and those of cw_encrypt_fd.
 */
int32_t cw_decrypt_fd(const cw_opening_key *key,
                      int32_t from,
                      int32_t to,
                      const cw_watch *watch,
                      uint64_t *written,
                      cw_error **error);

/**
 * Encrypts what `read` gives up to its end into `write`. Both are called on this thread, during this call only, each
 * with its own data. `watch` is told of the bytes read; it may be NULL. `written`, unless NULL, gets the number of
 * bytes written.
 *
 * Errors: what `read` or `write` returned, CW_ERR_IO, CW_ERR_CANCELLED, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_encrypt_stream(const cw_sealing_key *key,
                          cw_read_fn read,
                          void *read_data,
                          cw_write_fn write,
                          void *write_data,
                          const cw_watch *watch,
                          uint64_t *written,
                          cw_error **error);

/**
 * Decrypts what `read` gives up to its end into `write`, which is not called before all was decrypted and found good:
 * more than 1 MiB waits in an unnamed file in the system's folder for temporary files. With des-md5 "found good" means
 * the padding alone. Else as cw_encrypt_stream.
 *
 * Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, and those of
 * cw_encrypt_stream.
 */
int32_t cw_decrypt_stream(const cw_opening_key *key,
                          cw_read_fn read,
                          void *read_data,
                          cw_write_fn write,
                          void *write_data,
                          const cw_watch *watch,
                          uint64_t *written,
                          cw_error **error);

/**
 * The "sha256" and "size" of a file's bytes, as a document's record has them. `sha256` has room for CW_SHA256_SIZE bytes;
 * both may be NULL.
 *
 * Errors: CW_ERR_IO when it cannot be read; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_file_digest(const char *file,
                       size_t file_len,
                       char *sha256,
                       uint64_t *size,
                       cw_error **error);

/**
 * The "sha256" of bytes in memory. `sha256` has room for CW_SHA256_SIZE bytes.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_bytes_digest(const uint8_t *data, size_t data_len, char *sha256, cw_error **error);

/**
 * The "sha256" and "size" of the bytes that `read` gives up to its end, on this thread and during this call only.
 * `sha256` has room for CW_SHA256_SIZE bytes; both may be NULL. `watch` is told of the bytes read; it may be NULL.
 *
 * Errors: what `read` returned, CW_ERR_CANCELLED, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_stream_digest(cw_read_fn read,
                         void *user_data,
                         const cw_watch *watch,
                         char *sha256,
                         uint64_t *size,
                         cw_error **error);

/**
 * Packs all that lies in `directory` into the zip archive `to`, which must not lie in it. That is synced to the disk
 * before it gets its name, and readable for this user only; what stood there is replaced, and after a failure stays as
 * it was. The same files give the same bytes. `watch` is told of the bytes read; it may be NULL. `written`, unless
 * NULL, gets the number of bytes written.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT when a path leads nowhere, or for a symbolic link or names that would meet on
 * another system; CW_ERR_HOSTILE_NAME, CW_ERR_IO, CW_ERR_CANCELLED.
 */
int32_t cw_compress_directory(const char *directory,
                              size_t directory_len,
                              const char *to,
                              size_t to_len,
                              const cw_watch *watch,
                              uint64_t *written,
                              cw_error **error);

/**
 * Packs all that lies in `directory` into a zip archive that goes to `write`, on this thread and during this call only.
 * Else as cw_compress_directory.
 *
 * Errors: what `write` returned, and those of cw_compress_directory.
 */
int32_t cw_compress_directory_stream(const char *directory,
                                     size_t directory_len,
                                     cw_write_fn write,
                                     void *user_data,
                                     const cw_watch *watch,
                                     uint64_t *written,
                                     cw_error **error);

/**
 * Unpacks the zip archive `from` into `directory`, which must be empty or not there yet. Everything is unpacked and
 * checked in a private place first; after a failure nothing is left. `limits` may be NULL. `watch` is told of the bytes
 * written; it may be NULL.
 *
 * Errors: CW_ERR_NOT_AN_ARCHIVE, CW_ERR_UNSUPPORTED_ARCHIVE, CW_ERR_HOSTILE_NAME, CW_ERR_INCONSISTENT_ARCHIVE,
 * CW_ERR_INFLATED_TOO_LARGE, CW_ERR_TOO_MANY_ENTRIES, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_INVALID_ARGUMENT,
 * CW_ERR_IO, CW_ERR_CANCELLED.
 */
int32_t cw_decompress_directory(const char *from,
                                size_t from_len,
                                const char *directory,
                                size_t directory_len,
                                const cw_limits *limits,
                                const cw_watch *watch,
                                cw_error **error);

/**
 * Unpacks the zip archive that `read` gives, on this thread and during this call only, into `directory`. Else as
 * cw_decompress_directory.
 *
 * Errors: what `read` returned, and those of cw_decompress_directory.
 */
int32_t cw_decompress_directory_stream(cw_read_fn read,
                                       void *user_data,
                                       const char *directory,
                                       size_t directory_len,
                                       const cw_limits *limits,
                                       const cw_watch *watch,
                                       cw_error **error);

/**
 * Packs all that lies in `directory` into a zip archive and seals that for `key` into the file `to`, in one pass; `to`
 * must not lie in `directory`. The archive's last entry is SHA256SUMS, which lists the SHA-256 of every file as
 * sha256sum writes it. The file is synced to the disk before it gets its name, and readable for this user only; what
 * stood there is replaced, and after a failure stays as it was. `options` may be NULL. `watch` is told of the bytes
 * read, on this thread; it may be NULL. `written`, unless NULL, gets the number of bytes written.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT when a path leads nowhere, or for a symbolic link, names that would meet on another
 * system, or a file that is named SHA256SUMS itself; CW_ERR_HOSTILE_NAME, CW_ERR_IO, CW_ERR_CANCELLED.
 */
int32_t cw_pack_directory(const cw_sealing_key *key,
                          const char *directory,
                          size_t directory_len,
                          const char *to,
                          size_t to_len,
                          const cw_pack_options *options,
                          const cw_watch *watch,
                          uint64_t *written,
                          cw_error **error);

/**
 * Packs and seals all that lies in `directory` into what `write` takes, which is called on this thread and during this
 * call only. Else as cw_pack_directory.
 *
 * Errors: what `write` returned, and those of cw_pack_directory.
 */
int32_t cw_pack_directory_stream(const cw_sealing_key *key,
                                 const char *directory,
                                 size_t directory_len,
                                 cw_write_fn write,
                                 void *user_data,
                                 const cw_pack_options *options,
                                 const cw_watch *watch,
                                 uint64_t *written,
                                 cw_error **error);

/**
 * The name in Unicode normalization form C, which names of entries have: the name of a file may come in another, as on
 * macOS.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT when the name is empty or not UTF-8.
 */
int32_t cw_archive_name_nfc(const char *name,
                            size_t name_len,
                            cw_buffer **out,
                            cw_error **error);

/**
 * Checks that a name is a relative path of up to 64 parts that every common file system can hold, as archives from outside
 * are checked. The marks `" < > | ? *` pass, which Windows alone refuses to write. `limits` may be NULL.
 *
 * Errors: CW_ERR_HOSTILE_NAME, with the reason; CW_ERR_INVALID_ARGUMENT when the name is empty or not UTF-8.
 */
int32_t cw_archive_name_check(const char *name,
                              size_t name_len,
                              const cw_limits *limits,
                              cw_error **error);

/**
 * Starts an archive. Its bytes go to `write`, from within the calls and on their thread. With `write` NULL they wait
 * until cw_archive_writer_take gives them out. `user_data` is handed to `write` and ended by `drop`, which may be NULL.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_archive_writer_new(cw_write_fn write,
                              void *user_data,
                              cw_drop_fn drop,
                              cw_archive_writer **out,
                              cw_error **error);

/**
 * Starts an archive as cw_archive_writer_new does, and says how it is compressed. `options` may be NULL. Threads that
 * help are started once enough content waits, and have ended when cw_archive_writer_finish or cw_archive_writer_free
 * returns; they call no function of the host's.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_archive_writer_new_with_options(cw_write_fn write,
                                           void *user_data,
                                           cw_drop_fn drop,
                                           const cw_pack_options *options,
                                           cw_archive_writer **out,
                                           cw_error **error);

/**
 * Adds an entry with content from memory. `name` is a relative path with "/" between its parts, in Unicode form C.
 *
 * Errors: CW_ERR_HOSTILE_NAME and CW_ERR_INVALID_ARGUMENT for a name that cannot be written everywhere, is not in form
 * C, or would meet an earlier one: the archive goes on without this entry. What `write` returned, after which the
 * archive is lost.
 */
int32_t cw_archive_writer_add(cw_archive_writer *writer,
                              const char *name,
                              size_t name_len,
                              const uint8_t *content,
                              size_t content_len,
                              cw_error **error);

/**
 * Adds an entry with the content that `read` gives up to its end, on this thread and during this call only. `watch` is
 * told of the bytes read; it may be NULL.
 *
 * Errors: what `read` returned, CW_ERR_CANCELLED, after which the archive may be lost, as the next call then says;
 * and those of cw_archive_writer_add.
 */
int32_t cw_archive_writer_add_stream(cw_archive_writer *writer,
                                     const char *name,
                                     size_t name_len,
                                     cw_read_fn read,
                                     void *user_data,
                                     const cw_watch *watch,
                                     cw_error **error);

/**
 * Adds an entry as cw_archive_writer_add does, but may return before it is written, so that entries are compressed side
 * by side. cw_archive_writer_settle waits for it.
 *
 * Errors: those of cw_archive_writer_add. What `write` returned may be told by a later call.
 */
int32_t cw_archive_writer_queue(cw_archive_writer *writer,
                                const char *name,
                                size_t name_len,
                                const uint8_t *content,
                                size_t content_len,
                                cw_error **error);

/**
 * Adds an entry as cw_archive_writer_add_stream does, but may return before it is written, though not before it is
 * read. cw_archive_writer_settle waits for it.
 *
 * Errors: those of cw_archive_writer_add_stream. What `write` returned may be told by a later call.
 */
int32_t cw_archive_writer_queue_stream(cw_archive_writer *writer,
                                       const char *name,
                                       size_t name_len,
                                       cw_read_fn read,
                                       void *user_data,
                                       const cw_watch *watch,
                                       cw_error **error);

/**
 * Waits until all that was queued is written. `entries`, unless NULL, gets these entries in their order, without those
 * that an earlier call told, as JSON: [{"name":..,"size":..,"sha256":..},..]. The SHA-256 is in lower-case hexadecimal.
 *
 * Errors: what `write` returned, CW_ERR_INVALID_ARGUMENT, also when the archive was lost at an earlier entry.
 */
int32_t cw_archive_writer_settle(cw_archive_writer *writer,
                                 cw_buffer **entries,
                                 cw_error **error);

/**
 * Writes the archive's directory. Only after this the archive is complete; every further call fails with
 * CW_ERR_INVALID_ARGUMENT.
 *
 * Errors: what `write` returned, CW_ERR_INVALID_ARGUMENT, also when the archive was lost at an earlier entry.
 */
int32_t cw_archive_writer_finish(cw_archive_writer *writer,
                                 cw_error **error);

/**
 * Gives out the bytes that came since the last time, of a writer that was made without `write`. It may be empty.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_archive_writer_take(cw_archive_writer *writer,
                               cw_buffer **out,
                               cw_error **error);

/**
 * Ends an archive, finished or not; it finishes nothing. NULL is none.
 */
void cw_archive_writer_free(cw_archive_writer *writer);

/**
 * Opens the zip archive at `from`. The archive is refused as a whole when anything in its directory is hostile, beyond
 * the limits or contradictory; nothing is inflated for that. `limits` may be NULL.
 *
 * Errors: CW_ERR_NOT_AN_ARCHIVE, CW_ERR_UNSUPPORTED_ARCHIVE, CW_ERR_HOSTILE_NAME, CW_ERR_INCONSISTENT_ARCHIVE,
 * CW_ERR_INFLATED_TOO_LARGE, CW_ERR_TOO_MANY_ENTRIES, CW_ERR_TRUNCATED, CW_ERR_INVALID_ARGUMENT, CW_ERR_IO.
 */
int32_t cw_archive_reader_open(const char *from,
                               size_t from_len,
                               const cw_limits *limits,
                               cw_archive_reader **out,
                               cw_error **error);

/**
 * Opens a zip archive in memory, of which a copy is kept. Else as cw_archive_reader_open.
 */
int32_t cw_archive_reader_open_bytes(const uint8_t *archive,
                                     size_t archive_len,
                                     const cw_limits *limits,
                                     cw_archive_reader **out,
                                     cw_error **error);

/**
 * How many files the archive has; directories are not counted. 0 for NULL.
 */
size_t cw_archive_reader_count(const cw_archive_reader *reader);

/**
 * The name of a file, counted from 0 in the order of the archive's directory: a path that was checked, relative, with
 * "/" between its parts. Borrowed from the reader; NULL when there are not so many.
 */
const char *cw_archive_reader_name(const cw_archive_reader *reader,
                                   size_t index);

/**
 * The size of a file that its header declares; reading fails where the content has another. 0 when there are not so
 * many.
 */
uint64_t cw_archive_reader_size(const cw_archive_reader *reader,
                                size_t index);

/**
 * Gives the content of a file to `write`, on this thread and during this call only. It is verified only when CW_OK is
 * returned: after a failure throw away what `write` got. `watch` is told of the bytes written; it may be NULL.
 *
 * Errors: CW_ERR_ALTERED, CW_ERR_INCONSISTENT_ARCHIVE, what `write` returned, CW_ERR_IO, CW_ERR_CANCELLED,
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_archive_reader_read(cw_archive_reader *reader,
                               size_t index,
                               cw_write_fn write,
                               void *user_data,
                               const cw_watch *watch,
                               cw_error **error);

/**
 * Gives out the content of a file that fits into memory, after it was verified; its size is bounded by the limits.
 *
 * Errors: CW_ERR_ALTERED, CW_ERR_INCONSISTENT_ARCHIVE, CW_ERR_IO, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_archive_reader_read_bytes(cw_archive_reader *reader,
                                     size_t index,
                                     cw_buffer **out,
                                     cw_error **error);

/**
 * The SHA-256 of a file that was read before, as measured when it was read; cw_archive_reader_size is its size. `sha256`
 * has room for CW_SHA256_SIZE bytes and gets lower-case hexadecimal.
 *
 * Errors: CW_ERR_WRONG_STATE when it was not read yet, or not without a failure; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_archive_reader_digest(const cw_archive_reader *reader,
                                 size_t index,
                                 char *sha256,
                                 cw_error **error);

/**
 * Closes an archive, and ends all names borrowed from it. NULL is none.
 */
void cw_archive_reader_free(cw_archive_reader *reader);

/**
 * Unpacks the file `from`, which cw_pack_directory made, into `directory`, which must be empty or not there yet.
 * Everything is unpacked in a private place first, and checked against the list SHA256SUMS that ends the archive; after
 * a failure nothing is left. With des-md5 the list finds what was damaged, not what was forged. `limits` and `options`
 * may be NULL. `watch` is told of the sealed bytes read, on this thread; it may be NULL.
 *
 * Errors: CW_ERR_WRONG_KEY, CW_ERR_TRUNCATED, CW_ERR_ALTERED, CW_ERR_UNSUPPORTED_SUITE, CW_ERR_NOT_A_PACKAGE when
 * SHA256SUMS is not the last entry, and those of cw_decompress_directory.
 */
int32_t cw_unpack_directory(const cw_opening_key *key,
                            const char *from,
                            size_t from_len,
                            const char *directory,
                            size_t directory_len,
                            const cw_limits *limits,
                            const cw_unpack_options *options,
                            const cw_watch *watch,
                            cw_error **error);

/**
 * Unpacks the sealed bytes that `read` gives, on this thread and during this call only, into `directory`. They wait, as
 * they are, in an unnamed file beside it until all of them came. Else as cw_unpack_directory.
 *
 * Errors: what `read` returned, and those of cw_unpack_directory.
 */
int32_t cw_unpack_directory_stream(const cw_opening_key *key,
                                   cw_read_fn read,
                                   void *user_data,
                                   const char *directory,
                                   size_t directory_len,
                                   const cw_limits *limits,
                                   const cw_unpack_options *options,
                                   const cw_watch *watch,
                                   cw_error **error);

/**
 * A new Ed25519 key. `id` is 1 to 128 characters of printable ASCII without spaces, such as "ON-INS/2026", and is
 * never given to another key.
 *
 * Errors: CW_ERR_INVALID_KEY for an id that is none, CW_ERR_IO when the system has no randomness to give,
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_signing_key_generate(const char *id,
                                size_t id_len,
                                cw_signing_key **out,
                                cw_error **error);

/**
 * A new HMAC-SHA-256 secret, for a partner that can sign with nothing better: both sides hold it, so that a receipt
 * proves nothing to a third party. `id` is as for cw_signing_key_generate.
 *
 * Errors: as cw_signing_key_generate.
 */
int32_t cw_signing_key_generate_shared(const char *id,
                                       size_t id_len,
                                       cw_signing_key **out,
                                       cw_error **error);

/**
 * The key that cw_signing_key_to_text wrote: "ed25519-secret:..." or "hmac-sha256-secret:...". Spaces and line ends
 * around it are passed over.
 *
 * Errors: CW_ERR_INVALID_KEY for another text or an id that is none, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_signing_key_from_text(const char *id,
                                 size_t id_len,
                                 const char *text,
                                 size_t text_len,
                                 cw_signing_key **out,
                                 cw_error **error);

/**
 * The key as text, to be stored where only this site reads. The buffer holds the secret; it is wiped when freed.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_signing_key_to_text(const cw_signing_key *key,
                               cw_buffer **out,
                               cw_error **error);

/**
 * What partners check signatures of this key with, for their `keys.verifying`. Of an Ed25519 key it is
 * "ed25519-public:...", which may be shown to anybody; of a shared secret it is "hmac-sha256-secret:...", the secret
 * itself, which only this one partner may see.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_signing_key_verifying_text(const cw_signing_key *key,
                                      cw_buffer **out,
                                      cw_error **error);

/**
 * The time that a key may sign at: from `valid_from` on, that second included, and before `valid_until`; both as RFC 3339
 * has them ("2026-06-01T00:00:00Z"), and NULL for no bound. A new key may sign at any time. Tell it before the key is given
 * to an exchange; one that has it already is given it anew with cw_exchange_set_signing_key.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT, also when it ends before it begins.
 */
int32_t cw_signing_key_set_validity(cw_signing_key *key,
                                    const char *valid_from,
                                    size_t valid_from_len,
                                    const char *valid_until,
                                    size_t valid_until_len,
                                    cw_error **error);

/**
 * The fingerprint of a public key by its text, "age1..." or "ed25519-public:...": eight groups of four hexadecimal digits
 * that two people read to each other over the phone, to know that the key that arrived is the one that was handed out.
 *
 * Errors: CW_ERR_INVALID_KEY for another text, a secret among them: a fingerprint of that would help who guesses;
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_key_fingerprint(const char *public_text,
                           size_t public_text_len,
                           cw_buffer **out,
                           cw_error **error);

/**
 * The key's id. Borrowed from the key; NULL for NULL.
 */
const char *cw_signing_key_id(const cw_signing_key *key);

/**
 * How the key signs: "ed25519" or "hmac-sha256", as RFC 9421 names them. Static; NULL for NULL.
 */
const char *cw_signing_key_algorithm(const cw_signing_key *key);

/**
 * Wipes and ends a signing key; an exchange that was given it keeps it. NULL is none.
 */
void cw_signing_key_free(cw_signing_key *key);

/**
 * The method, such as "POST". Borrowed from the request; NULL for NULL.
 */
const char *cw_request_method(const cw_request *request);

/**
 * The whole path, base path included, such as "/claimwire/packages". It is signed: send it as it is. Borrowed from the
 * request; NULL for NULL.
 */
const char *cw_request_path(const cw_request *request);

/**
 * How many header fields there are, at most 100. 0 for NULL.
 */
size_t cw_request_header_count(const cw_request *request);

/**
 * The name of a header field in lower case, counted from 0. Borrowed from the request; NULL when there are not so many.
 */
const char *cw_request_header_name(const cw_request *request,
                                   size_t index);

/**
 * The value of a header field, counted from 0. Borrowed from the request; NULL when there are not so many.
 */
const char *cw_request_header_value(const cw_request *request,
                                    size_t index);

/**
 * The request as JSON, for a transport whose answers come later: keep it beside what was sent, and hand it to
 * cw_reply_collected with the answer.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_request_json(const cw_request *request,
                        cw_buffer **out,
                        cw_error **error);

/**
 * The status, 200 to 599. 0 for NULL.
 */
int32_t cw_response_status(const cw_response *response);

/**
 * How many header fields there are. Content-Length is not among them: the host's server adds it, with all that belongs
 * to the connection. 0 for NULL.
 */
size_t cw_response_header_count(const cw_response *response);

/**
 * The name of a header field in lower case, counted from 0. Borrowed from the response; NULL when there are not so many.
 */
const char *cw_response_header_name(const cw_response *response,
                                    size_t index);

/**
 * The value of a header field, counted from 0. It holds no line end. Borrowed from the response; NULL when there are
 * not so many.
 */
const char *cw_response_header_value(const cw_response *response,
                                     size_t index);

/**
 * The body, at most 1 MiB; it is signed, so send it as it is. Borrowed from the response; NULL for NULL.
 */
const uint8_t *cw_response_body(const cw_response *response);

/**
 * How many bytes the body has. 0 for NULL.
 */
size_t cw_response_body_len(const cw_response *response);

/**
 * Ends a response and all that was borrowed from it. NULL is none.
 */
void cw_response_free(cw_response *response);

/**
 * Drops requests into a folder, for a partner that reads them there with a cw_directory_inbox or that something else
 * (SFTP, a synced share) carries them to. The folder, and those in it, are made when they are not there. What is sent
 * is pending until the answer lies there and the same package is sent again. `base_path` is the path below which the
 * partner's endpoint answers, such as "/claimwire"; NULL for the root. A request waits in the folder: the partner needs
 * a `signature_window_seconds` of as long.
 *
 * Errors: CW_ERR_IO when the folder cannot be made, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_transport_directory(const char *folder,
                               size_t folder_len,
                               const char *base_path,
                               size_t base_path_len,
                               cw_transport **out,
                               cw_error **error);

/**
 * Calls the exchange of another site in this process. The transport keeps that exchange open, also after
 * cw_exchange_free, until the transport and every partner that was given it are freed: of two exchanges that reach
 * each other so, end one side's partner first.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_transport_memory(const cw_exchange *exchange,
                            cw_transport **out,
                            cw_error **error);

/**
 * Ends a transport; a partner that was given it keeps it. NULL is none.
 */
void cw_transport_free(cw_transport *transport);

/**
 * Posts to one partner over HTTPS. All options are checked, certificates and keys among them; nobody is connected to
 * yet.
 *
 * Errors: CW_ERR_PLAIN_HTTP for an http address of another machine; CW_ERR_INVALID_SETTINGS, saying which option is
 * wrong; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_transport_https(const cw_https_options *options,
                           cw_transport **out,
                           cw_error **error);

/**
 * Makes a transport of the host's own function. The struct is copied; `user_data` is handed to the function and ended
 * by `drop` when the last partner that has the transport is gone, or at once when this call fails.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_transport_new(const cw_transport_functions *functions,
                         void *user_data,
                         cw_drop_fn drop,
                         cw_transport **out,
                         cw_error **error);

/**
 * How many bytes the body has: what Content-Length says. 0 for NULL.
 */
uint64_t cw_body_len(const cw_body *body);

/**
 * Puts up to `capacity` bytes of the body into `buffer` and their number into `*len`; 0 is the end. A code is final:
 * the body cannot be had whole, and the request must not reach the partner as if it were.
 *
 * Errors: what reading failed with, CW_ERR_CANCELLED when the sender stopped it; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_body_read(cw_body *body,
                     uint8_t *buffer,
                     size_t capacity,
                     size_t *len,
                     cw_error **error);

/**
 * The partner answered with this status, 200 to 599; to be called once, before or after the other parts.
 *
 * Errors: CW_ERR_BAD_MESSAGE for another status; CW_ERR_INVALID_ARGUMENT when the reply has its outcome already.
 */
int32_t cw_reply_status(cw_reply *reply,
                        int32_t status,
                        cw_error **error);

/**
 * Adds a header field of the answer after those that are there. Hand over all of them: some are signed.
 *
 * Errors: CW_ERR_BAD_MESSAGE when it is no header field or there are 100 already; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_reply_header(cw_reply *reply,
                        const char *name,
                        size_t name_len,
                        const char *value,
                        size_t value_len,
                        cw_error **error);

/**
 * Adds bytes to the answer's body; to be called as often as bytes come. Stop reading from the partner when this fails.
 *
 * Errors: CW_ERR_BAD_MESSAGE when the body has more than 1 MiB; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_reply_body(cw_reply *reply,
                      const uint8_t *data,
                      size_t len,
                      cw_error **error);

/**
 * The request lies where the partner will find it, and there is no answer yet. The library asks again later, with a
 * request of the same idempotency-key; answer that with cw_reply_collected.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT when the reply has its outcome already.
 */
int32_t cw_reply_pending(cw_reply *reply,
                         cw_error **error);

/**
 * The partner answered a request of the same idempotency-key that was sent earlier and was pending; nothing was sent
 * now. `request` is that request as cw_request_json gave it: the answer's signature is bound to it.
 *
 * Errors: as cw_reply_status; CW_ERR_INVALID_ARGUMENT when `request` is no request.
 */
int32_t cw_reply_collected(cw_reply *reply,
                           const char *request,
                           size_t request_len,
                           int32_t status,
                           cw_error **error);

/**
 * Opens a drop folder; makes it, and the folders in it, when they are not there.
 *
 * Errors: CW_ERR_IO when they cannot be made, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_directory_inbox_open(const char *folder,
                                size_t folder_len,
                                cw_directory_inbox **out,
                                cw_error **error);

/**
 * Lets the exchange answer every request that waits, at most 1000 of them, and puts the answers in place; call it as
 * often as requests shall be looked for. What is no request is answered so and moved to the folder "refused". One
 * poll of an inbox runs at a time; others wait for it. `answered` gets their number, and may be NULL.
 *
 * Errors: CW_ERR_IO when the folder cannot be read or written: what was answered before stays answered, and the rest
 * waits. CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_directory_inbox_poll(const cw_directory_inbox *inbox,
                                const cw_exchange *exchange,
                                size_t *answered,
                                cw_error **error);

/**
 * Ends an inbox; the folder stays as it is. NULL is none.
 */
void cw_directory_inbox_free(cw_directory_inbox *inbox);

/**
 * Opens the embedded case system, for hosts without a store of claims: a folder with a database and the bytes of
 * documents, which is made for this user alone when it is not there. What a call changed is on disk when it returns.
 * Any number of threads and processes of one machine may open the same folder. `catalogue` is JSON with the types that
 * are known here, as docs/schemas/catalogue.schema.json has it; with NULL every type is known.
 *
 * Errors: CW_ERR_CASE_SYSTEM when the database cannot be opened or belongs to another program or a later version;
 * CW_ERR_STORE_DAMAGED when it is no sound database; CW_ERR_IO; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_case_system_open(const char *folder,
                            size_t folder_len,
                            const char *catalogue,
                            size_t catalogue_len,
                            cw_case_system **out,
                            cw_error **error);

/**
 * Stores a claim file as it is; records it no longer has are removed, those among them that came in since it was loaded. A
 * claim that is exchanged is changed by cw_case_system_update instead. `claim_file` is JSON as
 * docs/schemas/claim-file.schema.json has it. The bytes of documents come by cw_case_system_add_document: a document
 * that has none yet is refused, and the size and digest of a known one may be left out.
 *
 * Errors: CW_ERR_INVALID_PACKAGE when the JSON is no claim file; CW_ERR_INVALID_ARGUMENT, also when a document's bytes
 * are not here or are others than the file says, or an id stands twice; CW_ERR_CASE_SYSTEM. Nothing is changed then.
 */
int32_t cw_case_system_put(const cw_case_system *case_system,
                           const char *claim_file,
                           size_t claim_file_len,
                           cw_error **error);

/**
 * Stores what is different between a claim file as cw_case_system_load gave it, `before`, and as it is now, `after`, and
 * nothing else: what was unpacked or added meanwhile stays. Else as cw_case_system_put.
 *
 * Errors: CW_ERR_CONFLICT with one detail for each field or record that was changed here too: load the claim again;
 * CW_ERR_UNKNOWN_CLAIM; CW_ERR_INVALID_ARGUMENT, also when the two are of different claims; those of cw_case_system_put.
 * Nothing is changed then.
 */
int32_t cw_case_system_update(const cw_case_system *case_system,
                              const char *before,
                              size_t before_len,
                              const char *after,
                              size_t after_len,
                              cw_error **error);

/**
 * The claim file with every record and every field, as JSON; see docs/schemas/claim-file.schema.json.
 *
 * Errors: CW_ERR_UNKNOWN_CLAIM when the claim is not here; CW_ERR_CASE_SYSTEM; CW_ERR_STORE_DAMAGED;
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_case_system_load(const cw_case_system *case_system,
                            const char *claim,
                            size_t claim_len,
                            cw_buffer **out,
                            cw_error **error);

/**
 * The ids of all claims, in their order: a JSON array of strings.
 *
 * Errors: CW_ERR_CASE_SYSTEM; CW_ERR_INVALID_ARGUMENT, also when the case system is the host's own.
 */
int32_t cw_case_system_claims(const cw_case_system *case_system, cw_buffer **out, cw_error **error);

/**
 * Adds a note, or replaces the one with the same id. `note` is JSON, as a claim file has notes.
 *
 * Errors: CW_ERR_UNKNOWN_CLAIM; CW_ERR_CASE_SYSTEM; CW_ERR_INVALID_ARGUMENT, also when another kind of record has the
 * note's id.
 */
int32_t cw_case_system_add_note(const cw_case_system *case_system,
                                const char *claim,
                                size_t claim_len,
                                const char *note,
                                size_t note_len,
                                cw_error **error);

/**
 * Ends a case system; an exchange that was given it keeps it. NULL is none.
 */
void cw_case_system_free(cw_case_system *case_system);

/**
 * Adds a document with the bytes that `read` gives, or gives a document new bytes; earlier ones are kept as versions.
 * `document` is JSON, as a claim file has documents; its size and digest are taken from the bytes. Gives the document
 * as it is stored, as JSON; `out` may be NULL. `read` is called on this thread, until it gives no more, and never holds
 * the whole document.
 *
 * Errors: what `read` returned; CW_ERR_UNKNOWN_CLAIM; CW_ERR_CASE_SYSTEM; CW_ERR_IO; CW_ERR_INVALID_ARGUMENT, also when
 * another kind of record has the document's id. Nothing is changed then.
 */
int32_t cw_case_system_add_document(const cw_case_system *case_system,
                                    const char *claim,
                                    size_t claim_len,
                                    const char *document,
                                    size_t document_len,
                                    cw_read_fn read,
                                    void *user_data,
                                    cw_buffer **out,
                                    cw_error **error);

/**
 * The same with the bytes of a file; see cw_case_system_add_document.
 *
 * Errors: CW_ERR_IO when the file cannot be read; else as cw_case_system_add_document.
 */
int32_t cw_case_system_add_document_file(const cw_case_system *case_system,
                                         const char *claim,
                                         size_t claim_len,
                                         const char *document,
                                         size_t document_len,
                                         const char *file,
                                         size_t file_len,
                                         cw_buffer **out,
                                         cw_error **error);

/**
 * Hands the bytes of a document to `write`, on this thread: those of now with `version` 0, else those of that version,
 * see cw_case_system_document_versions.
 *
 * Errors: what `write` returned; CW_ERR_UNKNOWN_CLAIM when the claim, the document or the version is not here;
 * CW_ERR_STORE_DAMAGED when its bytes are lost; CW_ERR_CASE_SYSTEM; CW_ERR_IO; CW_ERR_INVALID_ARGUMENT, also for a
 * version of a case system that is the host's own.
 */
int32_t cw_case_system_read_document(const cw_case_system *case_system,
                                     const char *claim,
                                     size_t claim_len,
                                     const char *document,
                                     size_t document_len,
                                     uint64_t version,
                                     cw_write_fn write,
                                     void *user_data,
                                     cw_error **error);

/**
 * The same into a file, which is there whole or not at all; what stood under its name is replaced. The file is for this
 * user alone.
 *
 * Errors: CW_ERR_IO when the file cannot be written; else as cw_case_system_read_document.
 */
int32_t cw_case_system_read_document_file(const cw_case_system *case_system,
                                          const char *claim,
                                          size_t claim_len,
                                          const char *document,
                                          size_t document_len,
                                          uint64_t version,
                                          const char *file,
                                          size_t file_len,
                                          cw_error **error);

/**
 * The versions of a document's bytes, the first one first, as JSON; see docs/schemas/document-versions.schema.json. An
 * empty array when the document is not here.
 *
 * Errors: CW_ERR_CASE_SYSTEM; CW_ERR_INVALID_ARGUMENT, also when the case system is the host's own.
 */
int32_t cw_case_system_document_versions(const cw_case_system *case_system,
                                         const char *claim,
                                         size_t claim_len,
                                         const char *document,
                                         size_t document_len,
                                         cw_buffer **out,
                                         cw_error **error);

/**
 * Gives the claim file as JSON, with every record and field, also those that never leave. Each document has the "size"
 * and "sha256" of its bytes. To be called once; the JSON is borrowed.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT when it is no claim file.
 */
int32_t cw_claim_file_give(cw_claim_file *out,
                           const char *json,
                           size_t json_len,
                           cw_error **error);

/**
 * Gives the file that holds the document's bytes; it is opened at once. To be called once.
 *
 * Errors: CW_ERR_IO when it cannot be opened; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_document_give_path(cw_document *out,
                              const char *file,
                              size_t file_len,
                              cw_error **error);

/**
 * Gives a file descriptor that the document's bytes are read from, from where it stands to its end: a file, a pipe or a
 * socket. It is duplicated; yours stays yours to close. To be called once. On Unix only.
 *
 * Errors: CW_ERR_IO when it is no open descriptor; CW_ERR_INVALID_ARGUMENT, also on other systems.
 */
int32_t cw_document_give_descriptor(cw_document *out,
                                    int32_t descriptor,
                                    cw_error **error);

/**
 * Gives a function that the document's bytes are read by, until it says that they end. It is called on one thread at a
 * time, after `open_document` returned; `drop` closes it, also when reading stops early or this call fails. To be
 * called once.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_document_give_reader(cw_document *out,
                                cw_read_fn read,
                                void *user_data,
                                cw_drop_fn drop,
                                cw_error **error);

/**
 * Gives the claim, assessment and bill types that this system knows, as JSON:
 * {"claim_types":[..],"assessment_types":[..],"bill_types":[..]}. A list that is left out knows every type. To be called
 * once.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_catalogue_give(cw_catalogue *out,
                          const char *json,
                          size_t json_len,
                          cw_error **error);

/**
 * How many documents bring new bytes. 0 for NULL.
 */
size_t cw_staged_count(const cw_staged *staged);

/**
 * The exchange id of a document, counted from 0. Borrowed from `staged`; NULL when there are not so many.
 */
const char *cw_staged_document(const cw_staged *staged,
                               size_t index);

/**
 * The file that holds its bytes, to be copied and not to be changed. Borrowed from `staged`; NULL when there are not so
 * many.
 */
const char *cw_staged_path(const cw_staged *staged,
                           size_t index);

/**
 * The SHA-256 that the change set names for its bytes, in lower-case hexadecimal. Borrowed from `staged`; NULL when there
 * are not so many.
 */
const char *cw_staged_sha256(const cw_staged *staged,
                             size_t index);

/**
 * Copies the bytes to a file of the host's, for this user alone, and checks them on the way against the digest and size
 * that the change set names. A file that stood there is replaced whole; what was copied survives power loss when this
 * returns. After an error nothing is changed.
 *
 * Errors: CW_ERR_ALTERED when they are other bytes, CW_ERR_IO; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_staged_copy(const cw_staged *staged,
                       size_t index,
                       const char *file,
                       size_t file_len,
                       cw_error **error);

/**
 * Works out the claim file that a set of changes makes of the one that stands now, for hosts that keep a claim as JSON.
 * `claim_file` is NULL when the claim is not there. Only what the set names is changed; applying it again changes
 * nothing. Gives the new claim file as JSON; storing it is the host's.
 *
 * Errors: CW_ERR_CONFLICT when the claim was changed here after the set was made, or a person has to settle it first;
 * CW_ERR_UNKNOWN_CLAIM when the claim is gone; CW_ERR_INVALID_PACKAGE when a field would get a value that it cannot
 * have; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_changes_apply(const char *changes,
                         size_t changes_len,
                         const char *claim_file,
                         size_t claim_file_len,
                         cw_buffer **out,
                         cw_error **error);

/**
 * Makes a case system of the host's own functions. The struct is copied; `user_data` is handed to each function and
 * ended by `drop` when the last exchange that has the case system is closed, or at once when this call fails.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_case_system_new(const cw_case_system_functions *functions,
                           void *user_data,
                           cw_drop_fn drop,
                           cw_case_system **out,
                           cw_error **error);

/**
 * Gives a secret from within a cw_secret_fn: a password, an age identity, the text of a signing key. The text is
 * copied; the copy is wiped when the key is made of it, and what the host holds is the host's to wipe.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT, also for an empty text.
 */
int32_t cw_secret_set(cw_secret *secret,
                      const char *value,
                      size_t value_len,
                      cw_error **error);

/**
 * Reads a partner's settings in TOML, with every secret they name. `secrets` is asked for those of the form
 * `{ host = "name" }`; with NULL there are files and the environment alone. `transport` is the way to the partner; with
 * NULL it can be received from, but not sent to. A `url` in the settings opens no connection by itself: make its
 * transport with cw_transport_https, which also knows whom to trust.
 *
 * Errors: CW_ERR_INVALID_SETTINGS with one detail for each mistake, which begins with its place
 * ("keys.incoming[1].version: ..."); CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_partner_from_toml(const char *settings,
                             size_t settings_len,
                             const cw_secrets *secrets,
                             const cw_transport *transport,
                             cw_partner **out,
                             cw_error **error);

/**
 * The same in JSON, as docs/schemas/partner-settings.schema.json has it; see cw_partner_from_toml.
 *
 * Errors: as cw_partner_from_toml.
 */
int32_t cw_partner_from_json(const char *settings,
                             size_t settings_len,
                             const cw_secrets *secrets,
                             const cw_transport *transport,
                             cw_partner **out,
                             cw_error **error);

/**
 * Checks a partner's settings without fetching any secret, for an administrator's tool. `format` is "toml" or "json".
 * Gives the settings as JSON, with every default written out, so that a host can read what stands in them ("/url",
 * "/number") with cw_json_get; `out` may be NULL when only the check is wanted.
 *
 * Errors: CW_ERR_INVALID_SETTINGS with one detail for each mistake; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_partner_settings_check(const char *settings,
                                  size_t settings_len,
                                  const char *format,
                                  size_t format_len,
                                  cw_buffer **out,
                                  cw_error **error);

/**
 * Checks the settings of all partners of a site, `count` texts, as cw_partner_settings_check does with each, and what must
 * differ between them: site ids, numbers, and aliases but for case. `format` is "toml" or "json".
 *
 * Errors: CW_ERR_INVALID_SETTINGS with one detail for each mistake of the first text that has any, or for each that two
 * partners have in common; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_partner_settings_check_all(const cw_bytes *settings,
                                      size_t count,
                                      const char *format,
                                      size_t format_len,
                                      cw_error **error);

/**
 * The partner's site id. Borrowed from the partner; NULL for NULL.
 */
const char *cw_partner_site(const cw_partner *partner);

/**
 * The name users know the partner by. Borrowed from the partner; NULL for NULL.
 */
const char *cw_partner_alias(const cw_partner *partner);

/**
 * Wipes and ends a partner's settings; an exchange that was given them keeps them. NULL is none.
 */
void cw_partner_free(cw_partner *partner);

/**
 * Whether a document's name is as a partner asks: `convention` is what its settings have as "/export/naming". `facts` is a
 * JSON object of what is known: "claim_number", "policy_number", "document_type" and "date", a day such as "2026-03-02";
 * NULL for nothing. `*matches` gets 1, or 0; then `out` gets "message" for people and, where there are such, "reason" and
 * "proposal", a name that would do. With 1 it gets "null". Both may be NULL. The same check is made when a claim is
 * exported.
 *
 * Errors: CW_ERR_INVALID_SETTINGS for a convention that is none; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_naming_check(const char *convention,
                        size_t convention_len,
                        const char *name,
                        size_t name_len,
                        const char *facts,
                        size_t facts_len,
                        int32_t *matches,
                        cw_buffer **out,
                        cw_error **error);

/**
 * The name of a CW_OUTGOING_*, CW_INCOMING_* or CW_ACKNOWLEDGEMENT_* number, as it stands in JSON and in the history:
 * "delivered", "unpacked", "told". "unknown" for a number that this version does not know. Static; never NULL.
 */
const char *cw_state_name(int32_t state);

/**
 * The CW_OUTGOING_* number of a state's name, as "state" in an outgoing package's JSON has it; 0 for a name that this
 * version does not know, and for what is none.
 */
int32_t cw_outgoing_state_of_name(const char *name,
                                  size_t name_len);

/**
 * The CW_INCOMING_* number of a state's name, as "state" in an incoming package's JSON has it; 0 for a name that this
 * version does not know, and for what is none.
 */
int32_t cw_incoming_state_of_name(const char *name,
                                  size_t name_len);

/**
 * The kind, one of CW_EVENT_*. 0 for NULL.
 */
int32_t cw_event_kind(const cw_event *event);

/**
 * The kind's name, such as "new-package". Borrowed; NULL for NULL.
 */
const char *cw_event_name(const cw_event *event);

/**
 * The id of the package it is about. Borrowed; NULL for NULL.
 */
const char *cw_event_package(const cw_event *event);

/**
 * The site id of the partner at the other end of the package. Borrowed; NULL for NULL.
 */
const char *cw_event_partner(const cw_event *event);

/**
 * The claim's exchange id; NULL where it is not known: a package that was not unpacked yet belongs to no claim.
 * Borrowed.
 */
const char *cw_event_claim(const cw_event *event);

/**
 * Why it failed and what to do, in UTF-8; NULL where the event tells of no failure. Borrowed.
 */
const char *cw_event_reason(const cw_event *event);

/**
 * The whole event as JSON: "kind" (its name), "package", "partner", and "claim" and "reason" where they are known.
 * Borrowed; NULL for NULL.
 */
const char *cw_event_json(const cw_event *event);

/**
 * Opens a webhook with what waits in its folder from before; cw_exchange_settings_add_webhook gives it events. Nothing is
 * posted before cw_webhook_start or cw_webhook_deliver_due. `trouble` may be NULL; `user_data` is kept until the webhook
 * and the exchanges that use it are gone, and is then ended with `drop`; so it is when this fails.
 *
 * Errors: CW_ERR_INVALID_SETTINGS for an endpoint or a retry policy that cannot be used; CW_ERR_PLAIN_HTTP;
 * CW_ERR_INVALID_KEY for a secret that is none; CW_ERR_WRONG_STATE when another webhook has the folder; CW_ERR_IO,
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_webhook_open(const cw_webhook_options *webhook_options,
                        cw_trouble_fn trouble,
                        void *user_data,
                        cw_drop_fn drop,
                        cw_webhook **out,
                        cw_error **error);

/**
 * Keeps one event for delivery, from within a cw_event_fn: for a host that posts the events of some partners, or of some
 * kinds, and not all of them as with cw_exchange_settings_add_webhook. It writes a small file; an event that cannot be
 * kept is told as a trouble.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_webhook_keep(const cw_webhook *webhook,
                        const cw_event *event,
                        cw_error **error);

/**
 * Starts a thread that delivers until cw_webhook_stop.
 *
 * Errors: CW_ERR_WRONG_STATE when it was started or stopped before; CW_ERR_IO when the system gives no thread;
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_webhook_start(const cw_webhook *webhook,
                         cw_error **error);

/**
 * Posts all that is due, for a host with a scheduler of its own; blocks while it posts. `*next_ms` is in how many
 * milliseconds to call it again, -1 when nothing waits or nothing may be posted; new events are due at once. It may be
 * NULL.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT. What could not be delivered is told as a trouble.
 */
int32_t cw_webhook_deliver_due(const cw_webhook *webhook,
                               int64_t *next_ms,
                               cw_error **error);

/**
 * How many messages wait for delivery. 0 for NULL.
 */
size_t cw_webhook_waiting(const cw_webhook *webhook);

/**
 * 1 when the receiver answered 410 Gone and was not enabled since; restarts do not change it. 0 for NULL.
 */
int32_t cw_webhook_is_disabled(const cw_webhook *webhook);

/**
 * Posts again to a receiver that had answered 410 Gone, beginning with what waited meanwhile.
 *
 * Errors: CW_ERR_IO, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_webhook_enable(const cw_webhook *webhook, cw_error **error);

/**
 * Queues the messages that were given up once more, as many as there is room for, with all their tries. `*count` is how
 * many; it may be NULL.
 *
 * Errors: CW_ERR_IO, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_webhook_retry_failed(const cw_webhook *webhook,
                                size_t *count,
                                cw_error **error);

/**
 * Ends delivery: a try under way is finished, no other is begun, and what was not delivered stays in the folder. Waits at
 * most `within_ms`; `*ended` is 1 when the thread ended by then, and it ends by itself later otherwise. It may be NULL.
 * Events that come after this are still kept, for the next webhook that opens the folder.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_webhook_stop(const cw_webhook *webhook,
                        uint32_t within_ms,
                        int32_t *ended,
                        cw_error **error);

/**
 * Tells a webhook's thread to end and does not wait for it; the folder is free for another webhook once the thread and
 * the exchanges that use it are gone. NULL is none.
 */
void cw_webhook_free(cw_webhook *webhook);

/**
 * A new secret of a webhook, "whsec_…": for a secret store, and for the receiver.
 *
 * Errors: CW_ERR_IO when the system has no randomness to give; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_webhook_secret_generate(cw_buffer **out, cw_error **error);

/**
 * For a host that receives webhooks: proves that a message was sent by whoever shares `secret`, within `tolerance_s`
 * seconds of now, both ways; 300 are usual. `id`, `timestamp` and `signature` are the values of the header fields
 * webhook-id, webhook-timestamp and webhook-signature; `body` is the body exactly as it came in. A message may come more
 * than once: keep the ids of those already dealt with.
 *
 * Errors: CW_ERR_BAD_SIGNATURE; CW_ERR_REPLAYED; CW_ERR_BAD_MESSAGE for a header field that is not what it should be;
 * CW_ERR_INVALID_KEY for a secret that is none; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_webhook_verify(const char *secret,
                          size_t secret_len,
                          const char *id,
                          size_t id_len,
                          const char *timestamp,
                          size_t timestamp_len,
                          const char *signature,
                          size_t signature_len,
                          const uint8_t *body,
                          size_t body_len,
                          uint32_t tolerance_s,
                          cw_error **error);

/**
 * The settings of a site with this id, which keeps its sealed packages and its ledger in `folder`, signs with
 * `signing_key` and has its claims in `case_system`; both are kept by the settings, and remain the caller's to free. The
 * folder is made, for this user alone, when it is not there; it should lie on an encrypted disk.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_new(const char *site,
                                 size_t site_len,
                                 const char *folder,
                                 size_t folder_len,
                                 const cw_signing_key *signing_key,
                                 const cw_case_system *case_system,
                                 cw_exchange_settings **out,
                                 cw_error **error);

/**
 * Adds a partner, or replaces the one with the same site id. The partner remains the caller's to free.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_add_partner(cw_exchange_settings *settings,
                                         const cw_partner *partner,
                                         cw_error **error);

/**
 * Adds a key that the site signs with, for a time of its own, see cw_signing_key_set_validity; cw_exchange_set_signing_key
 * says which of them signs when. The key remains the caller's to free.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_add_signing_key(cw_exchange_settings *settings,
                                             const cw_signing_key *key,
                                             cw_error **error);

/**
 * How many days before the end of a key, and before the review of des-md5 is due, cw_exchange_warnings begins to tell of
 * it; by default 30.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_warning_days(cw_exchange_settings *settings,
                                              uint32_t days,
                                              cw_error **error);

/**
 * Calls `tell` for every event of the exchange, beside whatever was given before; see cw_event_fn. `user_data` is kept
 * until the exchange is closed, and is then ended with `drop`; so it is when this fails. The first events may come while
 * the exchange is being opened.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_on_event(cw_exchange_settings *settings,
                                      cw_event_fn tell,
                                      void *user_data,
                                      cw_drop_fn drop,
                                      cw_error **error);

/**
 * Posts every event of the exchange through a webhook. The webhook remains the caller's, to stop and to free.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_add_webhook(cw_exchange_settings *settings,
                                         const cw_webhook *webhook,
                                         cw_error **error);

/**
 * The largest sealed package taken in, in bytes; by default 262,144,000 (250 MiB).
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_sealed_size_limit(cw_exchange_settings *settings,
                                                   uint64_t bytes,
                                                   cw_error **error);

/**
 * What partners may leave half-sent here, to go on with later: how many uploads of one partner are kept (by default 8; 0
 * keeps none), how many bytes those have together once they are whole (1 GiB), and for how many seconds each is kept
 * after its last byte came (a day).
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_upload_limits(cw_exchange_settings *settings,
                                               uint32_t per_partner,
                                               uint64_t bytes_per_partner,
                                               uint64_t keep_seconds,
                                               cw_error **error);

/**
 * To how many partners a started outbox (cw_outbox_start) sends at the same time, 1 to 255; by default 4. To one partner
 * it sends one package after the other. Each is a thread with a connection of its own.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_sends_at_once(cw_exchange_settings *settings,
                                               uint32_t partners,
                                               cw_error **error);

/**
 * The path below which this site's endpoint is reached, as partners see it, such as "/claimwire"; by default the root.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_base_path(cw_exchange_settings *settings,
                                           const char *base_path,
                                           size_t base_path_len,
                                           cw_error **error);

/**
 * With 1, answers GET {base path}/health to whoever asks, with status 200 or 503: whether this site does its work, and
 * nothing else of it. With 0, as by default, it does not. It is looked at most once in ten seconds, however many ask.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_answering_health(cw_exchange_settings *settings,
                                                  int32_t answering,
                                                  cw_error **error);

/**
 * What an incoming package may cost to read.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_package_limits(cw_exchange_settings *settings,
                                                const cw_package_limits *limits,
                                                cw_error **error);

/**
 * On how many threads, and how hard, exported packages are compressed.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_pack_options(cw_exchange_settings *settings,
                                              const cw_pack_options *options,
                                              cw_error **error);

/**
 * Ends settings that no exchange was opened with. NULL is none.
 */
void cw_exchange_settings_free(cw_exchange_settings *settings);

/**
 * Has `scan` look at every document that comes in, after its package is verified and before anything of it is released.
 * One that is infected holds back the whole package with CW_ERR_INFECTED_DOCUMENT, one that could not be scanned with
 * CW_ERR_SCAN_FAILED. It takes the place of a scanner that was set before. `user_data` is kept until the exchange is
 * closed, and is then ended with `drop`; so it is when this fails.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_document_scan(cw_exchange_settings *settings,
                                               cw_scan_fn scan,
                                               void *user_data,
                                               cw_drop_fn drop,
                                               cw_error **error);

/**
 * Has a ClamAV daemon scan every document that comes in, by its command INSTREAM; else as
 * cw_exchange_settings_set_document_scan. In clamd.conf, StreamMaxLength, MaxFileSize and MaxScanSize must be as large as
 * the largest document, and AlertExceedsMax must be "yes": without it clamd calls clean what it did not scan whole.
 * Whether it is there shows with the first document.
 *
 * Errors: CW_ERR_INVALID_SETTINGS when the address is none, or is not on this machine and `on_trusted_network` is 0;
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_settings_set_clamd(cw_exchange_settings *settings,
                                       const cw_clamd_options *clamd_options,
                                       cw_error **error);

/**
 * Opens a site's exchange; its folder and ledger are made when they are not there. One process at a time has a folder
 * open. `settings` are consumed.
 *
 * What an earlier process left undone is done: notes that were received are applied, and what partners sent that are
 * unpacked automatically is unpacked: on the exchange's own thread, "claimwire-unpack", which calls your functions also
 * while this call runs.
 *
 * Errors: CW_ERR_WRONG_STATE when another exchange has the folder open; CW_ERR_IO, CW_ERR_LEDGER,
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_open(cw_exchange_settings *settings,
                         cw_exchange **out,
                         cw_error **error);

/**
 * This site's id.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_site(const cw_exchange *exchange, cw_buffer **out, cw_error **error);

/**
 * All partners as their settings are now: a JSON array in the order of their site ids, of objects with "site", "alias"
 * and, where there is a key to seal with, "suite".
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_partners(const cw_exchange *exchange,
                             cw_buffer **out,
                             cw_error **error);

/**
 * The partner with this site id, as its settings are now: with its keys, for cw_exchange_try_partner and the like.
 *
 * Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_partner(const cw_exchange *exchange,
                            const char *site,
                            size_t site_len,
                            cw_partner **out,
                            cw_error **error);

/**
 * Adds a partner to a running exchange, or gives the one with the same site id these settings. The partner remains the
 * caller's to free.
 *
 * Work that is under way ends with the settings it began with. What is queued stays: a package in the outbox goes out as
 * it is, over the new transport; one in the inbox is opened with the keys of now, so keep the former versions until it
 * is unpacked.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_set_partner(const cw_exchange *exchange,
                                const cw_partner *partner,
                                cw_error **error);

/**
 * Takes a partner out: from now on nothing goes to it, and it is a stranger here. Its packages, queued ones among them,
 * and its history stay, and go on when it is set again. `*was_known` is 1 when there was such a partner; it may be NULL.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_remove_partner(const cw_exchange *exchange,
                                   const char *partner,
                                   size_t partner_len,
                                   int32_t *was_known,
                                   cw_error **error);

/**
 * Pauses the sending to a partner, until it is resumed, also over a restart. Exports go on and are queued in their order.
 * What the partner sends is taken in, unpacked and acknowledged as ever. A package that is being posted is not stopped.
 *
 * Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_pause(const cw_exchange *exchange,
                          const char *partner,
                          size_t partner_len,
                          cw_error **error);

/**
 * Lets packages go to a paused partner again: what was queued is due, see cw_exchange_send_due.
 *
 * Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_resume(const cw_exchange *exchange,
                           const char *partner,
                           size_t partner_len,
                           cw_error **error);

/**
 * The site ids of the partners that are paused, as a JSON array.
 *
 * Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_paused(const cw_exchange *exchange, cw_buffer **out, cw_error **error);

/**
 * Closes the exchange. A receiver that answers for it keeps it open until it ends. NULL is none.
 *
 * An automatic unpack that is under way, on the exchange's own thread "claimwire-unpack", is finished first, and that
 * thread waited for: it calls the functions of your case system, scan, transport and events meanwhile. Hold no lock that
 * your functions take while you free an exchange, or end what keeps it open.
 */
void cw_exchange_free(cw_exchange *exchange);

/**
 * Adds a key that a running exchange signs with, or puts it in the place of the one with the same id. Of the keys that are
 * valid at a moment, see cw_signing_key_set_validity, the one whose validity began last signs; of those that began
 * together, the one that was added last. The key remains the caller's to free.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_set_signing_key(const cw_exchange *exchange,
                                    const cw_signing_key *key,
                                    cw_error **error);

/**
 * The keys that the exchange signs with, as a JSON array, see docs/schemas/known-keys.schema.json. There is nothing secret
 * in it.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_signing_keys(const cw_exchange *exchange,
                                 cw_buffer **out,
                                 cw_error **error);

/**
 * The keys that this site has with a partner, as a JSON array, see docs/schemas/known-keys.schema.json: what seals, opens
 * and verifies, by version or id, when it is valid and whether it is now, the public parts and their fingerprints. There
 * is nothing secret in it. For a screen on which two administrators compare what they have.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_partner_keys(const cw_partner *partner,
                        cw_buffer **out,
                        cw_error **error);

/**
 * What an administrator should look at now, as a JSON array, see docs/schemas/warnings.schema.json: keys that end soon and
 * have no successor, keys that are missing, and des-md5 whose review is due or overdue. Empty when there is nothing. Ask it
 * in a health check, or once a day; the log says the same at each package.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_warnings(const cw_exchange *exchange,
                             cw_buffer **out,
                             cw_error **error);

/**
 * Exports a claim to ONE partner: a sealed package in the outbox, ready to be sent, and durable when this returns.
 * `package_id` gets its id and has room for CW_PACKAGE_ID_SIZE bytes; `out` gets the outgoing package as JSON. Both may
 * be NULL. `watch` may be NULL.
 *
 * Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_UNKNOWN_CLAIM; CW_ERR_EXPORT_RULES_VIOLATED with one detail for every rule that
 * is violated; CW_ERR_CANCELLED; CW_ERR_CASE_SYSTEM, CW_ERR_LEDGER, CW_ERR_IO, CW_ERR_INVALID_SETTINGS,
 * CW_ERR_INVALID_ARGUMENT. The outbox is as it was after an error.
 */
int32_t cw_exchange_export(const cw_exchange *exchange,
                           const char *claim,
                           size_t claim_len,
                           const char *partner,
                           size_t partner_len,
                           const cw_export_options *export_options,
                           const cw_watch *watch,
                           char *package_id,
                           cw_buffer **out,
                           cw_error **error);

/**
 * Exports the notes of a claim that ONE partner has not seen: a sealed package in the outbox, ready to be sent; its
 * recipient applies it as it arrives. `by` is who asks for it. `package_id`, with room for CW_PACKAGE_ID_SIZE bytes, and
 * `out`, for the outgoing package as JSON, may be NULL.
 *
 * Errors: CW_ERR_EXPORT_RULES_VIOLATED when the claim was never exchanged with the partner, or has no note for it;
 * CW_ERR_SEALED_TOO_LARGE; otherwise as cw_exchange_export.
 */
int32_t cw_exchange_export_notes(const cw_exchange *exchange,
                                 const char *claim,
                                 size_t claim_len,
                                 const char *partner,
                                 size_t partner_len,
                                 const char *by,
                                 size_t by_len,
                                 char *package_id,
                                 cw_buffer **out,
                                 cw_error **error);

/**
 * Posts a package of the outbox to its partner. `*state` is where it stands afterwards: CW_OUTGOING_DELIVERED with the
 * partner's receipt, CW_OUTGOING_UNPACKED for notes, or CW_OUTGOING_SENT over a transport whose answer comes later (send
 * again to collect it). `out` gets the outgoing package as JSON. `state`, `out` and `watch` may be NULL.
 *
 * This sends it now, whatever is queued before it; cw_exchange_send_due keeps order and time. Sending a delivered package
 * again posts nothing and tells its state. The package's id makes a retry harmless. Where it is not known what became of
 * the last try, the partner is asked first, and the package is posted only when the partner does not hold it.
 *
 * Errors: CW_ERR_UNKNOWN_PACKAGE; CW_ERR_WRONG_STATE, retryable, while the partner is paused; CW_ERR_UNREACHABLE,
 * CW_ERR_TIMED_OUT, CW_ERR_BAD_CERTIFICATE and others of the transport; CW_ERR_NO_RECEIPT when the answer does not prove
 * that the partner holds exactly these bytes; the partner's own refusal by its code; CW_ERR_CANCELLED,
 * CW_ERR_INVALID_ARGUMENT. After a retryable one the package is queued; after one that is ambiguous too it is
 * CW_OUTGOING_SENT; after another, or after the last try that the partner's settings allow, it is failed. It can be sent
 * again in each case.
 */
int32_t cw_exchange_send(const cw_exchange *exchange,
                         const char *package,
                         size_t package_len,
                         const cw_watch *watch,
                         int32_t *state,
                         cw_buffer **out,
                         cw_error **error);

/**
 * Sends everything that is queued to a partner, whenever it were due, in the order of the exports. While a package is not
 * settled, the later ones of its claim are held back; other claims go on. Where the partner cannot be reached, or asks to be
 * left alone, all the others are. `*not_sent` is how many are still to be sent, failed or held back: 0 when all went. `out`
 * gets JSON: the outgoing packages in "sent"; the "package" and its "error" in "failed"; the ids in "held_back".
 * `not_sent`, `out` and `watch` may be NULL.
 *
 * Errors: CW_ERR_UNKNOWN_PARTNER; CW_ERR_WRONG_STATE, retryable, while the partner is paused; CW_ERR_LEDGER,
 * CW_ERR_INVALID_ARGUMENT. Why a single package could not be sent is in the answer.
 */
int32_t cw_exchange_send_queued(const cw_exchange *exchange,
                                const char *partner,
                                size_t partner_len,
                                const cw_watch *watch,
                                size_t *not_sent,
                                cw_buffer **out,
                                cw_error **error);

/**
 * Asks the recipient what became of a package, and records its answer. `state` and `out` are as with cw_exchange_send.
 *
 * Errors: as cw_exchange_send.
 */
int32_t cw_exchange_poll(const cw_exchange *exchange,
                         const char *package,
                         size_t package_len,
                         int32_t *state,
                         cw_buffer **out,
                         cw_error **error);

/**
 * A package of the outbox: where it stands in `*state`, one of CW_OUTGOING_*, and all of it as JSON in `out`, "receipt"
 * and "last_receipt" among it, which cw_exchange_word and cw_receipt_verify read. `state` and `out` may be NULL.
 *
 * Errors: CW_ERR_UNKNOWN_PACKAGE when this site never exported it; CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_outgoing(const cw_exchange *exchange,
                             const char *package,
                             size_t package_len,
                             int32_t *state,
                             cw_buffer **out,
                             cw_error **error);

/**
 * Takes back a package that is queued or has failed: one for the wrong partner, or with a document that must not leave. `by`
 * asks for it and `reason` says why; both go into the history. It is never sent, its sealed bytes are removed, and what it
 * carries does not count as seen. Doing it again changes nothing. `out` gets the package as JSON and may be NULL.
 *
 * Errors: CW_ERR_WRONG_STATE when the partner holds it or may hold it; CW_ERR_UNKNOWN_PACKAGE; CW_ERR_LEDGER,
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_withdraw(const cw_exchange *exchange,
                             const char *package,
                             size_t package_len,
                             const char *by,
                             size_t by_len,
                             const char *reason,
                             size_t reason_len,
                             cw_buffer **out,
                             cw_error **error);

/**
 * What the recipient last said of a package, as JSON: "state" ("received", "unpacked", "rejected"), "/disposition/type"
 * ("accepted", "accepted-with-changes", or "rejected" with "/disposition/code"), "detail", a sentence for people,
 * "details" and "findings", one for each single fault, and the receipt's other members. "null" before its first receipt.
 * Its signature was verified before it was stored; cw_receipt_verify does so again.
 *
 * Errors: CW_ERR_UNKNOWN_PACKAGE when this site never exported it; CW_ERR_STORE_DAMAGED when the stored receipt is none;
 * CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_word(const cw_exchange *exchange,
                         const char *package,
                         size_t package_len,
                         cw_buffer **out,
                         cw_error **error);

/**
 * The packages that were exported, oldest first, as a JSON array. `query` says which, as a JSON object; its members all
 * may be left out: "claim", "partner", "kind" ("claim", "notes"), "outgoing_states" (an array of names), "from", "until",
 * "newest_first", "limit" (1000 unless it is said), and "after", the id of the last package of the page before. NULL for
 * all.
 *
 * Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_outgoing_packages(const cw_exchange *exchange,
                                      const char *query,
                                      size_t query_len,
                                      cw_buffer **out,
                                      cw_error **error);

/**
 * Checks a receipt that was kept as evidence, "receipt" or "last_receipt" of an outgoing package, with the partner's
 * verifying key, whatever the time. `key_id` is the key's name, `key` its text, "ed25519-public:…". `out` gets JSON: what
 * was said in "receipt", when it was signed in "signed_at". It may be NULL.
 *
 * Errors: CW_ERR_BAD_SIGNATURE or CW_ERR_DIGEST_MISMATCH when this is not what the key's owner signed;
 * CW_ERR_NO_RECEIPT or CW_ERR_BAD_MESSAGE when it is, but is no receipt; CW_ERR_UNSUPPORTED_FORMAT_VERSION for evidence
 * of a later version; CW_ERR_INVALID_KEY, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_receipt_verify(const char *evidence,
                          size_t evidence_len,
                          const char *key_id,
                          size_t key_id_len,
                          const char *key,
                          size_t key_len,
                          cw_buffer **out,
                          cw_error **error);

/**
 * Starts threads that send what is due, as cw_exchange_send_due does, and wake when something is exported, resumed,
 * replayed, or due again. They keep the exchange open until they end. What becomes of packages is told as events, on those
 * threads and on several at once, and stands in the history.
 *
 * Partners are served side by side, as many at once as cw_exchange_settings_set_sends_at_once says, so that a large package
 * on a slow line, or a partner that stalls, holds up no other. To one partner one package goes after the other. Where more
 * partners wait, they take turns package by package.
 *
 * Errors: CW_ERR_IO when the system gives no thread; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_outbox_start(const cw_exchange *exchange,
                        cw_outbox **out,
                        cw_error **error);

/**
 * Stops the threads and waits for their end: a body that is being sent is broken off and stays queued, an answer that is
 * under way is waited for. Called by a callback on one of them, it waits for none. NULL is none.
 */
void cw_outbox_free(cw_outbox *outbox);

/**
 * Sends what is due now, to all partners, in the order of the exports and one after the other, for a host with a scheduler
 * of its own. `*next_ms`
 * is in how many milliseconds to call it again, -1 when nothing waits; what is exported, resumed or replayed meanwhile is
 * due at once. `out` gets JSON as with cw_exchange_send_queued, and in "next_due" the moment. `next_ms`, `out` and `watch`
 * may be NULL.
 *
 * What could not be delivered is due again as the partner's settings say ("retry"), and not before the partner asks for
 * it. Where it is not known whether the last try arrived, the partner is asked first. When the tries or the time of the
 * settings have run out the package is failed, and CW_EVENT_FAILED tells so.
 *
 * Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT. Why a single package could not be sent is in the answer.
 */
int32_t cw_exchange_send_due(const cw_exchange *exchange,
                             const cw_watch *watch,
                             int64_t *next_ms,
                             cw_buffer **out,
                             cw_error **error);

/**
 * Queues a package that was delivered, or that failed, to be sent again under the same id, as asked for by `by`: for a
 * partner that lost it. A partner that still holds it says so, and changes nothing. `state` and `out` are as with
 * cw_exchange_send.
 *
 * Errors: CW_ERR_UNKNOWN_PACKAGE; CW_ERR_WRONG_STATE for one that is still to be delivered, or that the partner rejected;
 * CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_replay(const cw_exchange *exchange,
                           const char *package,
                           size_t package_len,
                           const char *by,
                           size_t by_len,
                           int32_t *state,
                           cw_buffer **out,
                           cw_error **error);

/**
 * Removes the sealed bytes of packages that were dealt with before `before`, a moment as in RFC 3339, in both directions:
 * those that their recipient has unpacked or rejected. `by` asks for it and goes into the history. Receipts, history and
 * the entries of the packages stay; such a package cannot be replayed or previewed any more, so keep them for as long as a
 * partner may have to restore a backup. `*count` is how many were removed; it may be NULL.
 *
 * Errors: CW_ERR_LEDGER: some may be removed then, and the call can be repeated; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_remove_sealed(const cw_exchange *exchange,
                                  const char *before,
                                  size_t before_len,
                                  const char *by,
                                  size_t by_len,
                                  uint64_t *count,
                                  cw_error **error);

/**
 * Queues again all packages to a partner of which it became known at `since` or later that they were delivered, unpacked
 * or failed: for a partner that restored a backup of that time. `since` is a moment as in RFC 3339, such as
 * "2026-03-02T14:30:00Z". `*count` is how many are queued, `out` gets their ids as a JSON array; both may be NULL.
 *
 * Errors: CW_ERR_UNKNOWN_PARTNER; CW_ERR_LEDGER: some may be queued then, and the call can be repeated;
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_replay_since(const cw_exchange *exchange,
                                 const char *partner,
                                 size_t partner_len,
                                 const char *since,
                                 size_t since_len,
                                 const char *by,
                                 size_t by_len,
                                 size_t *count,
                                 cw_buffer **out,
                                 cw_error **error);

/**
 * A package of the inbox: where it stands in `*state`, one of CW_INCOMING_*, and all of it as JSON in `out`. Both may be
 * NULL.
 *
 * Errors: CW_ERR_UNKNOWN_PACKAGE when it never came in; CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_incoming(const cw_exchange *exchange,
                             const char *package,
                             size_t package_len,
                             int32_t *state,
                             cw_buffer **out,
                             cw_error **error);

/**
 * The packages that came in, oldest first, as a JSON array. `query` is as with cw_exchange_outgoing_packages, with
 * "incoming_states" (an array of names), "only_new" and "only_untold" (whose senders are still to be told what became of
 * them) in place of "outgoing_states". NULL for all.
 *
 * Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_incoming_packages(const cw_exchange *exchange,
                                      const char *query,
                                      size_t query_len,
                                      cw_buffer **out,
                                      cw_error **error);

/**
 * What cw_exchange_unpack would change, without changing anything: the change set as JSON in `out`. `*blocked` is 1 when
 * both sides changed the same field and the partner's policy is to stop, so that an unpack would fail with
 * CW_ERR_CONFLICT. `blocked`, `out` and `watch` may be NULL.
 *
 * Errors: as cw_exchange_unpack, but for a conflict.
 */
int32_t cw_exchange_preview(const cw_exchange *exchange,
                            const char *package,
                            size_t package_len,
                            const cw_watch *watch,
                            int32_t *blocked,
                            cw_buffer **out,
                            cw_error **error);

/**
 * Unpacks a received package: the claim is added or updated in the case system, and the sender is told. `by` is who asks
 * for it. `*state` is CW_INCOMING_UNPACKED, or CW_INCOMING_SUPERSEDED when a later package of the claim had been applied
 * before and this one changed nothing. `*acknowledgement` is whether the sender was told, one of CW_ACKNOWLEDGEMENT_*.
 * `out` gets JSON: "claim", "superseded", "acknowledgement", and the change set in "changes". `state`, `acknowledgement`,
 * `out` and `watch` may be NULL.
 *
 * Nothing of the package is released before all of it is verified, and the case system takes all of it or nothing. A
 * package that fails stays in the inbox and can be unpacked again; unpacking one that is unpacked already changes
 * nothing, and tells a sender that could not be told.
 *
 * Errors: CW_ERR_UNKNOWN_PACKAGE; CW_ERR_UNKNOWN_KEY_VERSION, CW_ERR_UNSUPPORTED_SUITE, CW_ERR_WRONG_KEY,
 * CW_ERR_TRUNCATED, CW_ERR_ALTERED and other codes of the codec when it cannot be opened; CW_ERR_NOT_A_PACKAGE,
 * CW_ERR_UNSUPPORTED_FORMAT_VERSION, CW_ERR_INVALID_PACKAGE, CW_ERR_ENVELOPE_MISMATCH, CW_ERR_WRONG_RECIPIENT when it is
 * not what was announced; CW_ERR_IMPORT_RULES_VIOLATED with one detail each; CW_ERR_CONFLICT; CW_ERR_CANCELLED;
 * CW_ERR_CASE_SYSTEM, CW_ERR_LEDGER, CW_ERR_IO, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_unpack(const cw_exchange *exchange,
                           const char *package,
                           size_t package_len,
                           const char *by,
                           size_t by_len,
                           const cw_watch *watch,
                           int32_t *state,
                           int32_t *acknowledgement,
                           cw_buffer **out,
                           cw_error **error);

/**
 * Applies the notes that were received and, because of a crash or a passing fault, not applied, and tells their senders.
 * `*count` is the number of these packages, `out` gets their ids as a JSON array. Both may be NULL. Opening an exchange
 * does the same, but leaves it to the outbox to tell the senders.
 *
 * Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT. Why a package cannot be applied is in its history.
 */
int32_t cw_exchange_apply_pending_notes(const cw_exchange *exchange,
                                        size_t *count,
                                        cw_buffer **out,
                                        cw_error **error);

/**
 * Tells the sender of an unpacked package so once more, with a signed receipt. `*acknowledgement` is what came of it, one
 * of CW_ACKNOWLEDGEMENT_*; `out` gets it as JSON, with the error where the sender could not be told, which is no failure
 * of this call. Both may be NULL.
 *
 * Errors: CW_ERR_UNKNOWN_PACKAGE, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_acknowledge(const cw_exchange *exchange,
                                const char *package,
                                size_t package_len,
                                int32_t *acknowledgement,
                                cw_buffer **out,
                                cw_error **error);

/**
 * Refuses a package that came in and was not unpacked, for good, and tells its sender `reason`, 1 to 1,000 characters:
 * what is wrong with it and what to do. `by` is who rejects it, which the sender is not told. Its sealed bytes stay;
 * unpacking it is refused from now on. Rejecting it again keeps the first reason and tells the sender again.
 * `acknowledgement` and `out` as with cw_exchange_acknowledge.
 *
 * Errors: CW_ERR_UNKNOWN_PACKAGE; CW_ERR_WRONG_STATE when it was unpacked already; CW_ERR_LEDGER,
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_reject(const cw_exchange *exchange,
                           const char *package,
                           size_t package_len,
                           const char *by,
                           size_t by_len,
                           const char *reason,
                           size_t reason_len,
                           int32_t *acknowledgement,
                           cw_buffer **out,
                           cw_error **error);

/**
 * Fills in on the claims what partners said of our packages, where their settings name a "feedback_field" and the case
 * system could not take it then. `*count` is the number of these packages, `out` gets their ids as a JSON array. Both may
 * be NULL. Opening an exchange does so for the last 1,000 unpacked packages.
 *
 * Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT. Why a field cannot be filled is in the package's history.
 */
int32_t cw_exchange_fill_pending_feedback(const cw_exchange *exchange,
                                          size_t *count,
                                          cw_buffer **out,
                                          cw_error **error);

/**
 * Takes the mark of the new off everything that came in for a claim, as somebody looked at it: `by` is who. `*count` is
 * the number of packages that carried it, `out` gets their ids as a JSON array. Both may be NULL.
 *
 * Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_mark_viewed(const cw_exchange *exchange,
                                const char *claim,
                                size_t claim_len,
                                const char *by,
                                size_t by_len,
                                size_t *count,
                                cw_buffer **out,
                                cw_error **error);

/**
 * What happened, oldest first, as a JSON array: every step of every package, both directions, with who, when and what
 * came of it. `query` says what of it, as a JSON object; its members all may be left out: "claim", "assessment",
 * "partner", "kind" ("claim", "notes", "trial"), "direction" ("outgoing", "incoming"), "package", "by", "steps",
 * "only_failures", "from", "until", "newest_first", "limit" (1000 unless it is said), and "after", the number of the last
 * entry of the page before. NULL for all. docs/schemas/history-query.schema.json describes them.
 *
 * Errors: CW_ERR_STORE_DAMAGED when one of the entries was altered in the ledger; CW_ERR_LEDGER,
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_history(const cw_exchange *exchange,
                            const char *query,
                            size_t query_len,
                            cw_buffer **out,
                            cw_error **error);

/**
 * The error log of incoming packages, as cw_exchange_history gives the history: what failed or was rejected here, unless
 * the query names other steps. A delivery that was refused before it was a package leaves no entry.
 *
 * Errors: as cw_exchange_history.
 */
int32_t cw_exchange_incoming_errors(const cw_exchange *exchange,
                                    const char *query,
                                    size_t query_len,
                                    cw_buffer **out,
                                    cw_error **error);

/**
 * Writes the entries that `query` asks for, as with cw_exchange_history, as JSON Lines: one entry a line, its hashes
 * included, each line ended by a line feed. The query's limit does not apply: an export is whole. `write` is called on
 * the calling thread; `*entries` is the number of entries, and may be NULL.
 *
 * Errors: what `write` returned; CW_ERR_STORE_DAMAGED, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT. What was written stays
 * written.
 */
int32_t cw_exchange_export_history(const cw_exchange *exchange,
                                   const char *query,
                                   size_t query_len,
                                   cw_write_fn write,
                                   void *user_data,
                                   uint64_t *entries,
                                   cw_error **error);

/**
 * Checks the whole history: that no entry was altered, removed, moved or put in between. `out` gets its head, the number
 * and hash of its last entry, as JSON; it may be NULL.
 *
 * Entries cut off at the end and a history rewritten as a whole do not show by themselves: note the head where this
 * machine's administrator cannot change it, and check later with cw_exchange_verify_history_from.
 *
 * Errors: CW_ERR_STORE_DAMAGED with the number of the first entry at which the history is broken; CW_ERR_LEDGER,
 * CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_verify_history(const cw_exchange *exchange,
                                   cw_buffer **out,
                                   cw_error **error);

/**
 * Checks that the history still holds the entry that was its last when the head `noted` was noted, as JSON, and all
 * entries since. `out` gets its head of now, and may be NULL. Entries before the noted one are not read again.
 *
 * Errors: as cw_exchange_verify_history, with the number of the noted entry when it is gone or another one.
 */
int32_t cw_exchange_verify_history_from(const cw_exchange *exchange,
                                        const char *noted,
                                        size_t noted_len,
                                        cw_buffer **out,
                                        cw_error **error);

/**
 * Checks an exported history by itself, without the exchange it came from: that `lines`, whole lines as
 * cw_exchange_export_history writes them without filters, follow `start`, each the one before it, and that none was
 * altered. `start` is a head as JSON, NULL for the beginning. `out`, which may be NULL, gets the head they lead to, so that
 * a long history is checked piece by piece.
 *
 * Entries cut off at the end do not show, nor does a history that was rewritten as a whole: compare the head with one that
 * was noted elsewhere.
 *
 * Errors: CW_ERR_STORE_DAMAGED with the number of the first entry at which the history is broken; CW_ERR_INVALID_ARGUMENT
 * for a line that is no entry.
 */
int32_t cw_history_verify(const char *lines,
                          size_t lines_len,
                          const char *start,
                          size_t start_len,
                          cw_buffer **out,
                          cw_error **error);

/**
 * What the exchange counted since it was opened, and what lies in its outbox and inbox now, as a JSON object: "since"
 * and "at", "steps" and "failures", "sealed_bytes", "requests" and "refused_requests", "outbox" and "inbox" by state, and
 * "oldest_waiting_seconds". docs/metrics.md describes them.
 *
 * Errors: CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_metrics(const cw_exchange *exchange,
                            cw_buffer **out,
                            cw_error **error);

/**
 * The same as text in the OpenMetrics format, which Prometheus and others scrape, to be served as
 * "application/openmetrics-text; version=1.0.0; charset=utf-8".
 *
 * Errors: as cw_exchange_metrics.
 */
int32_t cw_exchange_openmetrics(const cw_exchange *exchange, cw_buffer **out, cw_error **error);

/**
 * Checks whether the site can do its work now: that its ledger and its folder can be written, that its key signs, that
 * its partners have their keys, and what waits in outbox and inbox. Nothing that it writes stays. `*status` is the worst
 * of the checks, CW_HEALTH_PASS, CW_HEALTH_WARN or CW_HEALTH_FAIL; `out` gets a JSON object with "status", "at",
 * "waiting", "oldest_waiting_seconds", and in "checks" for each its "code", "status" and "message". Both may be NULL.
 *
 * What does not work is in the answer; errors are of the call itself.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_health(const cw_exchange *exchange,
                           int32_t *status,
                           cw_buffer **out,
                           cw_error **error);

/**
 * Sends a new partner a sample and says, check by check, what is wrong at either side with keys, certificates, clocks,
 * limits and names, and what to do. Nothing of it is kept but an entry of the history at both sides.
 *
 * `claim_file` is the claim file to try with, as JSON, or NULL for a sample of a fictional person. Over a transport
 * whose answer comes later the report is pending: call again with the "package" it names as `collecting`, which is else
 * NULL. `*passed` is 1 when nothing failed; warnings do not count. `out` gets the report as JSON. Both may be NULL.
 *
 * What is wrong stands in the report. Errors: CW_ERR_UNKNOWN_PARTNER, CW_ERR_LEDGER, CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_try_partner(const cw_exchange *exchange,
                                const char *partner,
                                size_t partner_len,
                                const char *by,
                                size_t by_len,
                                const char *claim_file,
                                size_t claim_file_len,
                                const char *collecting,
                                size_t collecting_len,
                                int32_t *passed,
                                cw_buffer **out,
                                cw_error **error);

/**
 * Answers one request that the host's own web server took in; for servers that read the body when they are asked to.
 * It works on the caller's thread, and on as many at once as call it.
 *
 * `path` is the whole path as it stands on the wire, without a query, and `headers` are all header fields in their
 * order. `read` is asked for the body: it gives the bytes that the server's framing (Content-Length or chunks) says, 0
 * at their end, and a code when the connection breaks before, so that what came is not taken for the whole. NULL where
 * there is no body. `peer` may be NULL.
 *
 * What the server sees to:
 * - Hand over every request below the base path, whatever its method: POST, GET, HEAD, PATCH with a body, DELETE, OPTIONS.
 * - Send the status, header fields and body of the response, with a Content-Length, but none with status 204.
 * - `read` is not called before the sender has proven who it is. When the request has "Expect: 100-continue", write
 *   "HTTP/1.1 100 Continue" at the first call of `read`; when there was none, the body never comes.
 * - When the answer is there before the body was read to its end, send "Connection: close" with it, then read and drop
 *   what still comes for a second or two, and close: a connection closed over unread bytes is reset, and the sender may
 *   lose the answer. Do not wait for a body that was held back for a 100 Continue.
 * - Bound header bytes, the number of requests at once, the time `read` waits. Refuse requests with both Content-Length
 *   and Transfer-Encoding. A body that is longer than what the sender's agreement allows is refused by the library.
 *
 * A request that is none is answered too, with status 400: errors are of the call itself.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_answer(const cw_exchange *exchange,
                           const char *method,
                           size_t method_len,
                           const char *path,
                           size_t path_len,
                           const cw_header *headers,
                           size_t header_count,
                           const cw_peer *peer,
                           cw_read_fn read,
                           void *user_data,
                           cw_response **out,
                           cw_error **error);

/**
 * Tells the exchange of a request that the host's own server refused by itself, before it asked for an answer: too many at
 * once, a body above the server's bound, a head that is no request. It counts in the metrics. `code` is the CW_ERR_* that
 * comes nearest.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_exchange_refused(const cw_exchange *exchange,
                            int32_t code,
                            cw_error **error);

/**
 * Begins a request that the host's own web server takes in; for servers that are told of the body's bytes as they come.
 * The exchange answers it on a thread of the request's own, which holds at most a few pieces of the body in memory.
 * `exchange` may be closed before the request ends. The other parameters, and what the server sees to, are as in
 * cw_exchange_answer; where that speaks of `read`, take cw_incoming_request_wants_body.
 *
 * End it with cw_incoming_request_finish, or with cw_incoming_request_free when the connection breaks.
 *
 * Errors: CW_ERR_IO when the system gives no thread; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_incoming_request_new(const cw_exchange *exchange,
                                const char *method,
                                size_t method_len,
                                const char *path,
                                size_t path_len,
                                const cw_header *headers,
                                size_t header_count,
                                const cw_peer *peer,
                                cw_incoming_request **out,
                                cw_error **error);

/**
 * Waits until the exchange wants the body, or has answered without it: 1 to read the body and to send a "100 Continue"
 * that was asked for, 0 to go to cw_incoming_request_finish at once. It never waits for the network, only for the
 * exchange. 0 for NULL.
 */
int32_t cw_incoming_request_wants_body(cw_incoming_request *request);

/**
 * 1 when the answer is there already, so that a server which waits for a slow sender can break off: go to
 * cw_incoming_request_finish then, also before the body is at its end. It waits for nothing. 0 for NULL.
 */
int32_t cw_incoming_request_answered(const cw_incoming_request *request);

/**
 * Hands over the next bytes of the body, which are copied. It waits while the exchange is busy with the earlier ones,
 * so it holds a sender back that is faster than the disk. `*wanted`, which may be NULL, gets 1, or 0 when the exchange
 * has answered and takes no more: stop reading and go to cw_incoming_request_finish.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_incoming_request_write(cw_incoming_request *request,
                                  const uint8_t *data,
                                  size_t len,
                                  int32_t *wanted,
                                  cw_error **error);

/**
 * The body is at its end, or is no longer wanted: waits for the answer and gives it. Consumes the request. Only call it
 * when the whole body was handed over or the exchange wants no more of it; a body that broke off ends with
 * cw_incoming_request_free.
 *
 * Errors: CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_incoming_request_finish(cw_incoming_request *request,
                                   cw_response **out,
                                   cw_error **error);

/**
 * Abandons a request whose connection broke: nothing of it is kept, but of a package whose sender may go on with it where
 * it broke, and its thread is gone when this returns. NULL is none.
 */
void cw_incoming_request_free(cw_incoming_request *request);

/**
 * Starts an HTTPS server that answers for the exchange, which it keeps open until it ends. Partners reach it at the
 * exchange's base path.
 *
 * Errors: CW_ERR_INVALID_SETTINGS when the certificates or keys cannot be used, naming which; CW_ERR_IO when the address
 * is in use; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_receiver_start(const cw_exchange *exchange,
                          const cw_receiver_options *receiver_options,
                          cw_receiver **out,
                          cw_error **error);

/**
 * The port it listens at, also after a shutdown. 0 for NULL.
 */
uint16_t cw_receiver_local_port(const cw_receiver *receiver);

/**
 * Renews the certificate, the private key and the authorities of client certificates of a server that runs: connections
 * that come from now on get these, and those that are open go on with what they began with. Of the options only
 * `certificates`, `private_key`, `client_authorities` and `client_certificates_optional` are read, as by
 * cw_receiver_start, and nothing is kept of what was given before. Options that cannot be used change nothing.
 *
 * Errors: CW_ERR_INVALID_SETTINGS when the certificates or keys cannot be used, naming which; CW_ERR_WRONG_STATE after a
 * shutdown; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_receiver_set_tls(cw_receiver *receiver,
                            const cw_receiver_options *receiver_options,
                            cw_error **error);

/**
 * Stops the server: no new connection is taken, connections that have shown no request are closed, and a moment later
 * those whose request is not proven to be a partner's. Partners' requests have `grace_ms` to finish, then their connections
 * are closed. Returns when the server is gone; a second call does nothing.
 *
 * Errors: CW_ERR_IO when the server had failed before; CW_ERR_INVALID_ARGUMENT.
 */
int32_t cw_receiver_shutdown(cw_receiver *receiver,
                             uint32_t grace_ms,
                             cw_error **error);

/**
 * Ends a receiver; one that was not shut down closes every connection at once. NULL is none.
 */
void cw_receiver_free(cw_receiver *receiver);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CLAIMWIRE_H */
