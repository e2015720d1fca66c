/*
 * A case system of plain files, as an old host may have one:
 *
 *     FOLDER/claims/ON-INS_C-1.json     the claim file
 *     FOLDER/documents/SHA-256          the bytes of a document, under the digest that the claim file names
 *
 * A claim changes when its file is renamed into place: before that everything new is on disk, after that all of it holds.
 */
#ifndef FILE_STORE_H
#define FILE_STORE_H

#include "story.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *claims;
    char *documents;
    /* One change at a time: the library may call from several threads at once. */
    pthread_mutex_t changing;
} file_store;

/* The file of a claim: its id, with the slash made harmless. */
static char *claim_path(const file_store *store, const char *claim, const char *ending) {
    char *name = joined("/", claim, ending);
    for (char *at = name + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '_';
        }
    }
    char *path = joined(store->claims, name, "");
    free(name);
    return path;
}

/* The whole file as a text; NULL and errno when it cannot be read. The caller frees it. */
static char *read_text(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    size_t len = 0, room = 4096;
    char *all = malloc(room);
    while (all != NULL && !feof(file) && !ferror(file)) {
        if (room - len < 2048) {
            char *larger = realloc(all, room *= 2);
            if (larger == NULL) {
                free(all);
            }
            all = larger;
        }
        if (all != NULL) {
            len += fread(all + len, 1, room - len - 1, file);
        }
    }
    if (ferror(file)) {
        free(all);
        all = NULL;
        errno = EIO;
    }
    fclose(file);
    if (all != NULL) {
        all[len] = '\0';
    }
    return all;
}

/* Makes what was renamed in a folder survive a power loss. */
static int sync_folder(const char *folder) {
    int descriptor = open(folder, O_RDONLY);
    if (descriptor < 0) {
        return -1;
    }
    int synced = fsync(descriptor);
    close(descriptor);
    return synced;
}

/* Puts a claim file into place, whole and durable. */
static int store_claim(const file_store *store, const char *claim, const char *json) {
    char *new_path = claim_path(store, claim, ".new"), *path = claim_path(store, claim, ".json");
    FILE *file = fopen(new_path, "wb");
    int stored = file != NULL && fputs(json, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (file != NULL && fclose(file) != 0) {
        stored = 0;
    }
    stored = stored && rename(new_path, path) == 0 && sync_folder(store->claims) == 0;
    free(new_path);
    free(path);
    return stored;
}

/* The claim file; NULL when there is none. The caller frees it. */
static char *load_claim(const file_store *store, const char *claim) {
    char *path = claim_path(store, claim, ".json");
    char *json = read_text(path);
    free(path);
    return json;
}

/* Where the bytes of a document are, by what the claim file says of it; NULL when it is not there. */
static char *document_path(const file_store *store, const char *json, const char *document) {
    for (int i = 0;; i++) {
        char at[64];
        cw_buffer *id = NULL, *sha256 = NULL;
        snprintf(at, sizeof at, "/documents/%d/id", i);
        if (cw_json_get(CW_Z(json), CW_Z(at), &id, NULL) != CW_OK) {
            return NULL;
        }
        int found = strcmp(text(id), document) == 0;
        cw_buffer_free(id);
        if (found) {
            snprintf(at, sizeof at, "/documents/%d/sha256", i);
            if (cw_json_get(CW_Z(json), CW_Z(at), &sha256, NULL) != CW_OK) {
                return NULL;
            }
            char *path = joined(store->documents, "/", text(sha256));
            cw_buffer_free(sha256);
            return path;
        }
    }
}

static int32_t failed(cw_failure *failure, int32_t code, const char *why) {
    cw_failure_set(failure, code, CW_Z(why), -1, NULL);
    return code;
}

/* What the library calls: a cw_load_fn. */
static int32_t store_load(void *user_data, const char *claim, cw_claim_file *out, cw_failure *failure) {
    char *json = load_claim(user_data, claim);
    if (json == NULL) {
        return errno == ENOENT ? CW_OK : failed(failure, CW_ERR_CASE_SYSTEM, "the claim's file cannot be read");
    }
    int32_t code = cw_claim_file_give(out, CW_Z(json), NULL);
    free(json);
    return code;
}

/* A cw_open_document_fn. */
static int32_t store_open_document(void *user_data, const char *claim, const char *document, cw_document *out,
                                   cw_failure *failure) {
    char *json = load_claim(user_data, claim);
    char *path = json == NULL ? NULL : document_path(user_data, json, document);
    free(json);
    if (path == NULL) {
        return failed(failure, CW_ERR_UNKNOWN_CLAIM, "the claim or the document is not here");
    }
    int32_t code = cw_document_give_path(out, CW_Z(path), NULL);
    free(path);
    return code == CW_OK ? code : failed(failure, CW_ERR_STORE_DAMAGED, "the document's file is lost");
}

/* A cw_apply_fn: documents first, under names that nothing speaks of yet; then the claim file, by one rename. */
static int32_t store_apply(void *user_data, const char *claim, const char *changes, size_t changes_len,
                           const cw_staged *documents, const char *by, cw_failure *failure) {
    file_store *store = user_data;
    cw_buffer *after = NULL;
    (void)by;
    pthread_mutex_lock(&store->changing);
    char *json = load_claim(store, claim);
    int32_t code = json != NULL || errno == ENOENT ? CW_OK : CW_ERR_CASE_SYSTEM;
    for (size_t i = 0; code == CW_OK && i < cw_staged_count(documents); i++) {
        char *path = joined(store->documents, "/", cw_staged_sha256(documents, i));
        code = cw_staged_copy(documents, i, CW_Z(path), NULL);
        free(path);
    }
    if (code == CW_OK) {
        code = cw_changes_apply(changes, changes_len, json, json == NULL ? 0 : strlen(json), &after, NULL);
    }
    if (code == CW_OK && !store_claim(store, claim, text(after))) {
        code = failed(failure, CW_ERR_CASE_SYSTEM, "the claim's file cannot be written");
    }
    pthread_mutex_unlock(&store->changing);
    cw_buffer_free(after);
    free(json);
    return code;
}

/* A cw_drop_fn. */
static void store_drop(void *user_data) {
    file_store *store = user_data;
    pthread_mutex_destroy(&store->changing);
    free(store->claims);
    free(store->documents);
    free(store);
}

/* Opens the store in a folder, and makes it when it is not there. It ends with the case system. */
static file_store *store_open(const char *folder, cw_case_system **cases) {
    file_store *store = malloc(sizeof *store);
    if (store == NULL) {
        exit(1);
    }
    store->claims = joined(folder, "/claims", "");
    store->documents = joined(folder, "/documents", "");
    pthread_mutex_init(&store->changing, NULL);
    mkdir(folder, 0700);
    mkdir(store->claims, 0700);
    mkdir(store->documents, 0700);
    cw_case_system_functions functions = {0};
    functions.struct_size = sizeof functions;
    functions.load = store_load;
    functions.open_document = store_open_document;
    functions.apply = store_apply;
    MUST(cw_case_system_new(&functions, store, store_drop, cases, &fault));
    return store;
}

/* Stores bytes as a document, and gives the members of its record that speak about them. The caller frees them. */
static char *store_document(file_store *store, const char *bytes) {
    char *new_path = joined(store->documents, "/new", ""), sha256[CW_SHA256_SIZE], members[160];
    uint64_t size = 0;
    FILE *file = fopen(new_path, "wb");
    check("a document is written to the store", file != NULL && fputs(bytes, file) >= 0 && fflush(file) == 0
                                                    && fsync(fileno(file)) == 0 && fclose(file) == 0);
    MUST(cw_file_digest(CW_Z(new_path), sha256, &size, &fault));
    char *path = joined(store->documents, "/", sha256);
    check("and stands under its digest", rename(new_path, path) == 0 && sync_folder(store->documents) == 0);
    snprintf(members, sizeof members, "\"size\":%lu,\"sha256\":\"%s\"", (unsigned long)size, sha256);
    free(new_path);
    free(path);
    return joined(members, "", "");
}

#endif
