/*
 * What the examples share: calls that must work, checks, and a story told line by line.
 *
 * A program that goes wrong says where and exits with 1.
 */
#ifndef STORY_H
#define STORY_H

#include <claimwire.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The error of the last MUST. */
static cw_error *fault;

static void must(int32_t code, const char *call) {
    if (code == CW_OK) {
        return;
    }
    fprintf(stderr, "\nFailed (%s): %s\n  in %s\n", cw_code_name(code), cw_error_message(fault), call);
    for (size_t i = 0; i < cw_error_detail_count(fault); i++) {
        fprintf(stderr, "  - %s\n", cw_error_detail(fault, i));
    }
    exit(1);
}

/* Calls a function of the library, which gets &fault as its error, and ends the program when it fails. */
#define MUST(call) must((call), #call)

static void check(const char *what, int holds) {
    printf("  %s %s\n", holds ? "ok  " : "FAIL", what);
    if (!holds) {
        exit(1);
    }
}

static void step(const char *title) {
    printf("\n%s\n", title);
}

/* The text of a buffer, which ends in a NUL. */
static const char *text(const cw_buffer *buffer) {
    return (const char *)cw_buffer_data(buffer);
}

/* A path or another text made of two or three parts; the caller frees it. */
static char *joined(const char *first, const char *second, const char *third) {
    size_t size = strlen(first) + strlen(second) + strlen(third) + 1;
    char *all = malloc(size);
    if (all == NULL) {
        exit(1);
    }
    snprintf(all, size, "%s%s%s", first, second, third);
    return all;
}

#endif
