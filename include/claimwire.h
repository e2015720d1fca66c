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
 * An archive whose directory was found good. The names and sizes of its files may be asked for on several threads at
 * once; reading content is for one call at a time.
 */
typedef struct cw_archive_reader cw_archive_reader;

/**
 * A zip archive in the making, for one call at a time: cw_archive_writer_add for each entry, then
 * cw_archive_writer_finish, without which nobody can read it.
 */
typedef struct cw_archive_writer cw_archive_writer;

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
 * One site's side of the exchange. May be shared between threads.
 */
typedef struct cw_exchange cw_exchange;

/**
 * Where a function of the host's says why it failed, see cw_failure_set. Borrowed for the time of that call.
 */
typedef struct cw_failure cw_failure;

/**
 * What opens: a password of des-md5, or this site's own age identity. May be shared between threads. Wiped when freed.
 */
typedef struct cw_opening_key cw_opening_key;

/**
 * What this site settled with a partner, with its keys. May be shared between threads.
 */
typedef struct cw_partner cw_partner;

/**
 * What seals: a password of des-md5, or the age recipients who shall be able to open. May be shared between threads.
 */
typedef struct cw_sealing_key cw_sealing_key;

/**
 * A way to one partner's target server. May be shared between threads and given to several partners.
 */
typedef struct cw_transport cw_transport;

/**
 * Takes the next `len` bytes, which are borrowed for the time of the call. Returns CW_OK, or another code to stop.
 */
typedef int32_t (*cw_write_fn)(void *user_data, const uint8_t *data, size_t len);

/**
 * Ends the host's `user_data`: called exactly once, when the library needs it no more, on any thread. A call that takes
 * a `cw_drop_fn` takes the data also when it fails. NULL where nothing is to be done.
 */
typedef void (*cw_drop_fn)(void *user_data);

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
 * Whether the library can do something: "des-md5", "age" (suites); "https", "directory" (transports); "receiver",
 * "webhook", "sqlite", "toml". 1 if so, 0 if not or if the name is not known.
 */
int32_t cw_has_capability(const char *name,
                          size_t name_len);

/**
 * The name of a code, such as "wrong-key", as it stands in logs, receipts and problem types; "ok" for CW_OK; "unknown"
 * for a number that this version does not know. Static; never NULL.
 */
const char *cw_code_name(int32_t code);

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
 * How many single faults the error sums up: violated rules, mistakes in settings. Mostly 0.
 */
size_t cw_error_detail_count(const cw_error *error);

/**
 * The line on one single fault, counted from 0. Borrowed from the error; NULL when there are not so many.
 */
const char *cw_error_detail(const cw_error *error,
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
 * A key that seals for age recipients, "age1...", one or more of them separated by spaces or line ends. Each can open
 * what is sealed; none learns who the others are.
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
 * Closes an archive, and ends all names borrowed from it. NULL is none.
 */
void cw_archive_reader_free(cw_archive_reader *reader);

/**
 * Ends a transport; a partner that was given it keeps it. NULL is none.
 */
void cw_transport_free(cw_transport *transport);

/**
 * Ends a case system; an exchange that was given it keeps it. NULL is none.
 */
void cw_case_system_free(cw_case_system *case_system);

/**
 * Wipes and ends a partner's settings; an exchange that was given them keeps them. NULL is none.
 */
void cw_partner_free(cw_partner *partner);

/**
 * Closes the exchange; an automatic unpack that is under way is finished first. NULL is none.
 */
void cw_exchange_free(cw_exchange *exchange);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CLAIMWIRE_H */
