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
