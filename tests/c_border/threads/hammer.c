/* Threads that use the same const handles at once; run under ThreadSanitizer and AddressSanitizer. */
#include <claimwire.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define ROUNDS 25

static cw_sealing_key *seals;
static cw_opening_key *opens;
static cw_case_system *cases;
static cw_exchange *exchange;

/* Ends the program when a call fails. */
static void must(int32_t code, cw_error **error, const char *what) {
    if (code != CW_OK) {
        fprintf(stderr, "%s: %s\n", what, cw_error_message(*error));
        exit(1);
    }
}

static void *host(void *unused) {
    (void)unused;
    for (int round = 0; round < ROUNDS; round++) {
        static const char claim[] = "0192f0c1-7a3b-7c00-8000-00000000000c";
        cw_buffer *sealed = NULL;
        cw_buffer *plain = NULL;
        cw_buffer *json = NULL;
        cw_error *error = NULL;
        must(cw_encrypt_bytes(seals, (const uint8_t *)"claim", 5, &sealed, &error), &error, "encrypt");
        must(cw_decrypt_bytes(opens, cw_buffer_data(sealed), cw_buffer_len(sealed), &plain, &error), &error, "decrypt");
        if (cw_buffer_len(plain) != 5 || memcmp(cw_buffer_data(plain), "claim", 5) != 0) {
            fprintf(stderr, "decrypted to something else\n");
            exit(1);
        }
        must(cw_case_system_claims(cases, &json, &error), &error, "claims");
        cw_buffer_free(json);
        must(cw_exchange_history(exchange, CW_STR("{}"), &json, &error), &error, "history");
        cw_buffer_free(json);
        must(cw_exchange_partners(exchange, &json, &error), &error, "partners");
        cw_buffer_free(json);
        must(cw_exchange_verify_history(exchange, &json, &error), &error, "verify");
        cw_buffer_free(json);
        int32_t code = cw_exchange_export(exchange, claim, sizeof claim - 1, CW_STR("IMEX"), NULL, NULL, NULL, NULL, &error);
        if (code == CW_OK || cw_error_code(error) != code) {
            fprintf(stderr, "a claim that is not there was exported\n");
            exit(1);
        }
        cw_error_free(error);
        cw_buffer_free(sealed);
        cw_buffer_free(plain);
    }
    return NULL;
}

int main(int count, char **arguments) {
    char folder[2][4096];
    cw_buffer *identity = NULL;
    cw_buffer *recipient = NULL;
    cw_signing_key *signs = NULL;
    cw_exchange_settings *settings = NULL;
    cw_error *error = NULL;
    pthread_t threads[THREADS];
    if (count != 2) {
        return 2;
    }
    snprintf(folder[0], sizeof folder[0], "%s/cases", arguments[1]);
    snprintf(folder[1], sizeof folder[1], "%s/exchange", arguments[1]);
    must(cw_age_generate(&identity, &recipient, &error), &error, "identity");
    must(cw_sealing_key_age((const char *)cw_buffer_data(recipient), cw_buffer_len(recipient), &seals, &error), &error,
         "sealing key");
    must(cw_opening_key_age((const char *)cw_buffer_data(identity), cw_buffer_len(identity), &opens, &error), &error,
         "opening key");
    must(cw_case_system_open(CW_Z(folder[0]), NULL, 0, &cases, &error), &error, "case system");
    must(cw_signing_key_generate(CW_STR("own/1"), &signs, &error), &error, "signing key");
    must(cw_exchange_settings_new(CW_STR("OWN"), CW_Z(folder[1]), signs, cases, &settings, &error), &error, "settings");
    must(cw_exchange_open(settings, &exchange, &error), &error, "exchange");
    for (int at = 0; at < THREADS; at++) {
        if (pthread_create(&threads[at], NULL, host, NULL) != 0) {
            return 2;
        }
    }
    for (int at = 0; at < THREADS; at++) {
        pthread_join(threads[at], NULL);
    }
    cw_exchange_free(exchange);
    cw_case_system_free(cases);
    cw_signing_key_free(signs);
    cw_opening_key_free(opens);
    cw_sealing_key_free(seals);
    cw_buffer_free(identity);
    cw_buffer_free(recipient);
    return 0;
}
