/*
 * The codec as a filter for shells and for peers, as examples/codec.rs is one: standard input to standard output.
 *
 *     cc codec.c $(pkg-config --cflags --libs claimwire) -o codec
 *     ./codec encrypt --suite age --recipient age1... < claim.zip > sealed
 *
 * Without arguments it says how it is used.
 */
#include <claimwire.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "codec encrypt --suite des-md5 --key-file FILE [--framing F] [--iterations N] [--salt HEX]\n"
    "codec decrypt --suite des-md5 --key-file FILE [--framing F] [--iterations N] [--salt HEX]\n"
    "codec encrypt --suite age --recipient AGE1...\n"
    "codec decrypt --suite age --key-file FILE\n"
    "codec compress DIR > ARCHIVE.zip\n"
    "codec decompress DIR < ARCHIVE.zip\n"
    "\n"
    "The suite des-md5 protects nothing from a determined reader.\n";

/* What the command line asks for. */
struct options {
    const char *suite;
    const char *framing;
    const char *key_file;
    const char *recipient;
    uint32_t iterations;
    uint8_t salt[8];
    int has_salt;
};

/* Gives the library bytes of a FILE. */
static int32_t read_file(void *user_data, uint8_t *buffer, size_t capacity, size_t *len) {
    FILE *file = user_data;
    *len = fread(buffer, 1, capacity, file);
    return ferror(file) ? CW_ERR_IO : CW_OK;
}

/* Takes the library's bytes into a FILE. */
static int32_t write_file(void *user_data, const uint8_t *data, size_t len) {
    return fwrite(data, 1, len, user_data) == len ? CW_OK : CW_ERR_IO;
}

/* Says why it does not go on; gives the program's exit code. */
static int refuse(const char *what, const char *why) {
    fprintf(stderr, "codec: %s%s\n", what, why);
    return EXIT_FAILURE;
}

/* 16 hexadecimal digits as the 8 bytes they mean; 0 if they are none. */
static int parse_salt(const char *text, uint8_t salt[8]) {
    size_t at;
    if (strlen(text) != 16 || strspn(text, "0123456789abcdefABCDEF") != 16) {
        return 0;
    }
    for (at = 0; at < 8; at++) {
        char pair[3] = {text[2 * at], text[2 * at + 1], 0};
        salt[at] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return 1;
}

/* Reads the options after the verb; 0 if they cannot be understood. */
static int parse(int count, char **arguments, struct options *options) {
    int at;
    memset(options, 0, sizeof *options);
    options->framing = "salt-prefix";
    for (at = 0; at + 1 < count; at += 2) {
        const char *name = arguments[at], *value = arguments[at + 1];
        if (strcmp(name, "--suite") == 0) {
            options->suite = value;
        } else if (strcmp(name, "--framing") == 0) {
            options->framing = value;
        } else if (strcmp(name, "--key-file") == 0) {
            options->key_file = value;
        } else if (strcmp(name, "--recipient") == 0) {
            options->recipient = value;
        } else if (strcmp(name, "--iterations") == 0) {
            char *end;
            options->iterations = (uint32_t)strtoul(value, &end, 10);
            if (*end != 0 || options->iterations == 0) {
                return 0;
            }
        } else if (strcmp(name, "--salt") == 0 && parse_salt(value, options->salt)) {
            options->has_salt = 1;
        } else {
            return 0;
        }
    }
    return at == count && options->suite != NULL;
}

/* Reads the key file without the newline at its end; gives the length, or -1. */
static long read_key(const char *path, char *key, size_t capacity) {
    FILE *file = path == NULL ? NULL : fopen(path, "rb");
    size_t len;
    if (file == NULL) {
        return -1;
    }
    len = fread(key, 1, capacity, file);
    if (len == capacity || ferror(file)) {
        fclose(file);
        return -1;
    }
    fclose(file);
    if (len > 0 && key[len - 1] == '\n') {
        len--;
        if (len > 0 && key[len - 1] == '\r') {
            len--;
        }
    }
    return (long)len;
}

/* A long password lies in memory no longer than needed: a compiler may leave out a memset, but not this. */
static void wipe(char *key, size_t capacity) {
    volatile char *byte = key;
    while (capacity-- > 0) {
        *byte++ = 0;
    }
}

static int32_t encrypt(const struct options *options, const char *key, size_t key_len, cw_error **error) {
    cw_sealing_key *sealing = NULL;
    int32_t code;
    if (strcmp(options->suite, "age") == 0) {
        const char *recipient = options->recipient == NULL ? "" : options->recipient;
        code = cw_sealing_key_age(CW_Z(recipient), &sealing, error);
    } else {
        code = cw_sealing_key_des_md5((const uint8_t *)key, key_len, CW_Z(options->framing),
                                      options->has_salt ? options->salt : NULL, options->iterations,
                                      &sealing, error);
    }
    if (code == CW_OK) {
        code = cw_encrypt_stream(sealing, read_file, stdin, write_file, stdout, NULL, NULL, error);
    }
    cw_sealing_key_free(sealing);
    return code;
}

static int32_t decrypt(const struct options *options, const char *key, size_t key_len, cw_error **error) {
    cw_opening_key *opening = NULL;
    int32_t code;
    if (strcmp(options->suite, "age") == 0) {
        code = cw_opening_key_age(key, key_len, &opening, error);
    } else {
        code = cw_opening_key_des_md5((const uint8_t *)key, key_len, CW_Z(options->framing),
                                      options->has_salt ? options->salt : NULL, options->iterations,
                                      &opening, error);
    }
    if (code == CW_OK) {
        /* Standard output gets nothing before all of the input was found good. */
        code = cw_decrypt_stream(opening, read_file, stdin, write_file, stdout, NULL, NULL, error);
    }
    cw_opening_key_free(opening);
    return code;
}

int main(int count, char **arguments) {
    const char *verb = count > 1 ? arguments[1] : "";
    cw_error *error = NULL;
    int32_t code;
    if (strcmp(verb, "compress") == 0 && count == 3) {
        code = cw_compress_directory_stream(CW_Z(arguments[2]), write_file, stdout, NULL, NULL, &error);
    } else if (strcmp(verb, "decompress") == 0 && count == 3) {
        code = cw_decompress_directory_stream(read_file, stdin, CW_Z(arguments[2]), NULL, NULL, &error);
    } else if (strcmp(verb, "encrypt") == 0 || strcmp(verb, "decrypt") == 0) {
        int encrypts = strcmp(verb, "encrypt") == 0;
        struct options options;
        char key[4096];
        long key_len = 0;
        if (!parse(count - 2, arguments + 2, &options)) {
            return refuse("these options cannot be understood\n", USAGE);
        }
        if (strcmp(options.suite, "age") != 0 && strcmp(options.suite, "des-md5") != 0) {
            return refuse("there is no suite ", options.suite);
        }
        if (!encrypts || strcmp(options.suite, "age") != 0) {
            key_len = read_key(options.key_file, key, sizeof key);
        }
        if (key_len < 0) {
            return refuse("the key file cannot be read: ", options.key_file == NULL ? "" : options.key_file);
        }
        code = (encrypts ? encrypt : decrypt)(&options, key, (size_t)key_len, &error);
        wipe(key, sizeof key);
    } else {
        return refuse("no verb was understood\n", USAGE);
    }
    if (code != CW_OK) {
        fprintf(stderr, "codec: %s (%s)\n", cw_error_message(error), cw_error_name(error));
        cw_error_free(error);
        return EXIT_FAILURE;
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : refuse("standard output is closed", "");
}
