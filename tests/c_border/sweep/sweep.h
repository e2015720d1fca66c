/* What the generated sweep is made of: counting, checking, and handles to call with. */
#ifndef SWEEP_H
#define SWEEP_H

#include <claimwire.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Neither UTF-8 nor NUL-terminated: a library that reads on is caught by the sanitizers. */
static const char BAD_TEXT[] = {'o', 'k', (char)0xff, (char)0xfe};

/* What a place for a handle holds before the call, so that it shows whether the call cleared it. */
static char STALE;

static int calls;
static size_t read_bytes;
static int faults;

static void blame(const char *function, const char *situation, const char *what) {
    fprintf(stderr, "%s, %s: %s\n", function, situation, what);
    faults += 1;
}

/* A code and an error that belong together, and say what happened. */
static void check_error(const char *function, const char *situation, int32_t code, cw_error *error) {
    calls += 1;
    if (code == CW_OK) {
        if (error != NULL) {
            blame(function, situation, "gave CW_OK and an error");
        }
    } else if (strcmp(cw_code_name(code), "unknown") == 0) {
        blame(function, situation, "gave a number that is no code");
    } else if (error == NULL) {
        blame(function, situation, "failed without an error");
    } else if (cw_error_code(error) != code) {
        blame(function, situation, "gave another code than its error has");
    } else if (strlen(cw_error_message(error)) < 10) {
        blame(function, situation, "failed without a word");
    } else if (code == CW_ERR_INTERNAL) {
        blame(function, situation, cw_error_message(error));
    }
    cw_error_free(error);
}

static void check_refused(const char *function, const char *situation, int32_t code) {
    if (code == CW_OK) {
        blame(function, situation, "was taken");
    }
}

/* A function's own place in a message: a bad text is refused by its name. */
static int names_bad_text(const cw_error *error, const char *parameter) {
    char wanted[128];
    snprintf(wanted, sizeof wanted, "`%s` is not UTF-8", parameter);
    return error != NULL && strstr(cw_error_message(error), wanted) != NULL;
}

/* Ends the program where a handle that the sweep needs cannot be made; the call puts its error into `fault`. */
#define MUST(call, what)                                                                   \
    do {                                                                                   \
        if ((call) != CW_OK) {                                                             \
            fprintf(stderr, "cannot make the %s: %s\n", what, cw_error_message(fault));    \
            exit(2);                                                                       \
        }                                                                                  \
    } while (0)

/* Where the sweep may write. */
static const char *FOLDER;

/* A path in it that is not taken yet; good until the next but seven. */
static const char *at_folder(const char *name) {
    static char paths[8][4096];
    static unsigned int count;
    char *path = paths[count % 8];
    snprintf(path, sizeof paths[0], "%s/%s-%u", FOLDER, name, count);
    count += 1;
    return path;
}

/* The data of a function of ours that the library keeps, which it must end exactly once. */
static int ended;

static void count_end(void *user_data) {
    (void)user_data;
    ended += 1;
}

#endif
