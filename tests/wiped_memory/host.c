/* A host that uses secrets through the C functions, ends all it made of them, and looks for them in its own memory.
 *
 * It is told the secrets masked, and what it lends the library is wiped by itself, as a host's own buffer is. What is said to
 * and by it is what tests/wiped_memory/process.rs says. */
#include <claimwire.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MASK 0xa7
#define PIECE 8
#define MOST 64
#define LONGEST 4096
#define TEXT(buffer) ((const char *)cw_buffer_data(buffer))

static cw_error *error;

static void works(int32_t code, const char *what) {
    if (code != CW_OK) {
        fprintf(stderr, "%s: %s\n", what, cw_error_message(error));
        exit(1);
    }
}

/* A secret that was told, masked. */
struct masked {
    char name[64];
    unsigned char bytes[LONGEST];
    size_t length;
};

static struct masked told[MOST];
static size_t told_count;

/* What is lent to the library at the moment; wiped by `returned`. */
static unsigned char lent[MOST][LONGEST];
static size_t lent_count;

static void listen_to_the_test(void) {
    static char line[3 * LONGEST];
    for (told_count = 0; fgets(line, sizeof line, stdin) != NULL && strcmp(line, "go on\n") != 0; told_count++) {
        struct masked *secret = &told[told_count];
        const char *digits = strstr(line, " | ") + 3;
        memcpy(secret->name, line, (size_t)(digits - 3 - line));
        secret->name[digits - 3 - line] = '\0';
        for (secret->length = 0; digits[2 * secret->length] != '\n'; secret->length++) {
            unsigned int byte = 0;
            sscanf(digits + 2 * secret->length, "%2x", &byte);
            secret->bytes[secret->length] = (unsigned char)byte;
        }
    }
}

/* Borrows a secret until `returned`, with a NUL behind it. */
static const char *borrowed(const char *name, size_t *length) {
    for (size_t of = 0; of < told_count; of++) {
        if (strcmp(told[of].name, name) == 0) {
            unsigned char *plain = lent[lent_count++];
            for (size_t at = 0; at < told[of].length; at++) {
                plain[at] = told[of].bytes[at] ^ MASK;
            }
            *length = told[of].length;
            return (const char *)plain;
        }
    }
    fprintf(stderr, "nothing is called %s\n", name);
    exit(1);
}

static void returned(void) {
    volatile unsigned char *byte = &lent[0][0];
    for (size_t at = 0; at < sizeof lent; at++) {
        byte[at] = 0;
    }
    lent_count = 0;
}

/* A password that seals and opens. */
static void uses_a_password(void) {
    size_t length = 0, sealed_length = 0;
    cw_sealing_key *seals = NULL;
    cw_opening_key *opens = NULL;
    cw_buffer *sealed = NULL, *opened = NULL;
    const uint8_t *password = (const uint8_t *)borrowed("password", &length);
    works(cw_sealing_key_des_md5(password, length, CW_STR("salt-prefix"), NULL, 0, &seals, &error), "a sealing key");
    works(cw_opening_key_des_md5(password, length, CW_STR("salt-prefix"), NULL, 0, &opens, &error), "an opening key");
    returned();
    works(cw_encrypt_bytes(seals, (const uint8_t *)"a claim", 7, &sealed, &error), "to seal");
    sealed_length = cw_buffer_len(sealed);
    works(cw_decrypt_bytes(opens, cw_buffer_data(sealed), sealed_length, &opened, &error), "to open");
    cw_buffer_free(sealed);
    cw_buffer_free(opened);
    cw_sealing_key_free(seals);
    cw_opening_key_free(opens);
}

/* An identity that opens. */
static void uses_an_identity(void) {
    size_t length = 0, sealed_length = 0;
    cw_opening_key *opens = NULL;
    cw_buffer *recipient = NULL, *opened = NULL;
    const char *identity = borrowed("identity", &length);
    works(cw_opening_key_age(identity, length, &opens, &error), "an identity");
    works(cw_opening_key_recipient(opens, &recipient, &error), "its recipient");
    const uint8_t *sealed = (const uint8_t *)borrowed("sealed", &sealed_length);
    works(cw_decrypt_bytes(opens, sealed, sealed_length, &opened, &error), "to open");
    returned();
    cw_buffer_free(recipient);
    cw_buffer_free(opened);
    cw_opening_key_free(opens);
}

static int32_t secret(void *user_data, const char *name, size_t name_len, cw_secret *into, cw_failure *failure) {
    char asked[64] = "";
    size_t length = 0;
    (void)user_data;
    (void)failure;
    memcpy(asked, name, name_len);
    const char *value = borrowed(asked, &length);
    return cw_secret_set(into, value, length, NULL);
}

/* An exchange with a signing key and a partner whose secrets come out of the host's store. */
static void opens_an_exchange(const char *folder) {
    char path[1024];
    size_t length = 0;
    cw_signing_key *signs = NULL;
    const char *text = borrowed("signs", &length);
    works(cw_signing_key_from_text(CW_STR("ON-INS/1"), text, length, &signs, &error), "a signing key");
    cw_buffer *again = NULL;
    works(cw_signing_key_to_text(signs, &again, &error), "its text");
    cw_buffer_free(again);

    cw_https_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.url = "https://127.0.0.1:1/";
    options.url_len = strlen(options.url);
    options.root_pem = (const uint8_t *)borrowed("roots", &options.root_pem_len);
    options.bearer_token = borrowed("token", &options.bearer_token_len);
    cw_transport *transport = NULL;
    works(cw_transport_https(&options, &transport, &error), "a transport");
    returned();

    const char *settings = "site = \"IMEX\"\nnumber = 7\nalias = \"Examiners\"\n"
                           "[keys.outgoing]\nversion = 1\nsuite = \"des-md5\"\nframing = \"openssl\"\n"
                           "secret = { host = \"password\" }\n"
                           "[[keys.incoming]]\nversion = 1\nsuite = \"age\"\nsecret = { host = \"identity\" }\n"
                           "[[keys.verifying]]\nid = \"imex-1\"\nsecret = { host = \"shared\" }\n";
    cw_secrets secrets;
    memset(&secrets, 0, sizeof secrets);
    secrets.struct_size = sizeof secrets;
    secrets.secret = secret;
    cw_partner *partner = NULL;
    works(cw_partner_from_toml(CW_Z(settings), &secrets, transport, &partner, &error), "a partner");
    returned();

    cw_case_system *cases = NULL;
    cw_exchange_settings *opened = NULL;
    cw_exchange *exchange = NULL;
    snprintf(path, sizeof path, "%s/cases", folder);
    works(cw_case_system_open(CW_Z(path), NULL, 0, &cases, &error), "a case system");
    snprintf(path, sizeof path, "%s/exchange", folder);
    works(cw_exchange_settings_new(CW_STR("ON-INS"), CW_Z(path), signs, cases, &opened, &error), "settings");
    works(cw_exchange_settings_add_partner(opened, partner, &error), "with the partner");
    works(cw_exchange_open(opened, &exchange, &error), "an exchange");
    cw_exchange_free(exchange);
    cw_case_system_free(cases);
    cw_partner_free(partner);
    cw_transport_free(transport);
    cw_signing_key_free(signs);
}

/* Plays with some stack between it and `main`, which so stays as it was. */
static void plays(const char *case_name, const char *folder) {
    volatile char room[1 << 16];
    room[0] = 0;
    if (strcmp(case_name, "a password") == 0) {
        uses_a_password();
    } else if (strcmp(case_name, "an identity") == 0) {
        uses_an_identity();
    } else {
        opens_an_exchange(folder);
    }
    room[sizeof room - 1] = 0;
}

static int stands_at(const unsigned char *memory, const unsigned char *piece) {
    int all = 1;
    for (size_t at = 0; all && at < PIECE; at++) {
        all = (memory[at] ^ MASK) == piece[at];
    }
    return all;
}

/* Where a secret's piece begins; the last one ends where the secret does. */
static const unsigned char *piece_at(const struct masked *secret, size_t piece) {
    return secret->bytes + (piece + PIECE <= secret->length ? piece : secret->length - PIECE);
}

/* Tells which secrets stand in this part of the memory. */
static void look(const unsigned char *memory, size_t length, const char *map) {
    static unsigned char starts[1 << 16];
    memset(starts, 0, sizeof starts);
    for (size_t of = 0; of < told_count; of++) {
        for (size_t piece = 0; piece < told[of].length; piece += PIECE) {
            const unsigned char *first = piece_at(&told[of], piece);
            starts[first[0] << 8 | first[1]] = 1;
        }
    }
    for (size_t at = 0; at + PIECE <= length; at++) {
        if (!starts[(memory[at] ^ MASK) << 8 | (memory[at + 1] ^ MASK)]) {
            continue;
        }
        for (size_t of = 0; of < told_count; of++) {
            for (size_t piece = 0; piece < told[of].length; piece += PIECE) {
                if (stands_at(memory + at, piece_at(&told[of], piece))) {
                    printf("found %s | %s", told[of].name, map);
                }
            }
        }
    }
}

int main(int argc, char **argv) {
    static unsigned char page[1 << 16];
    char map[512];
    if (argc != 3) {
        return 1;
    }
    listen_to_the_test();
    plays(argv[1], argv[2]);
    printf("gave \n");
    fflush(stdout);
    listen_to_the_test();
    FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "rb");
    setvbuf(memory, NULL, _IONBF, 0);
    while (fgets(map, sizeof map, maps) != NULL) {
        unsigned long start = 0, end = 0;
        char mode[5] = "";
        sscanf(map, "%lx-%lx %4s", &start, &end, mode);
        while (strncmp(mode, "rw", 2) == 0 && start + PIECE <= end && fseek(memory, (long)start, SEEK_SET) == 0) {
            size_t wanted = end - start < sizeof page ? end - start : sizeof page;
            size_t length = fread(page, 1, wanted, memory);
            look(page, length, map);
            memset(page, 0, sizeof page);
            if (length < wanted) {
                break;
            }
            start += length - (PIECE - 1);
            if (end - start < PIECE) {
                break;
            }
        }
    }
    fclose(maps);
    fclose(memory);
    return 0;
}
