/* Two sites make what an exchange is made of: keys, partners from TOML, transports, case systems. Arguments: a folder. */
#include <claimwire.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cw_error *error;

static void check(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, cw_error_message(error));
        for (size_t i = 0; i < cw_error_detail_count(error); i++) {
            fprintf(stderr, "  %s\n", cw_error_detail(error, i));
        }
        exit(1);
    }
}

/* What the host's secret store holds: a text by its name. */
struct store {
    const char *name;
    const char *value;
};

static int32_t secret(void *user_data, const char *name, size_t name_len, cw_secret *into, cw_failure *failure) {
    const struct store *store = user_data;
    if (strlen(store->name) == name_len && memcmp(store->name, name, name_len) == 0) {
        return cw_secret_set(into, CW_Z(store->value), NULL);
    }
    cw_failure_set(failure, CW_ERR_INVALID_SETTINGS, CW_STR("the store has no secret of this name"), 0, NULL);
    return CW_ERR_INVALID_SETTINGS;
}

static void settings_of(char *text, size_t size, const char *site, const char *recipient, const char *verifying) {
    int written = snprintf(text, size,
                           "site = \"%s\"\n"
                           "number = 7\n"
                           "alias = \"Partner %s\"\n"
                           "[keys.outgoing]\n"
                           "version = 1\n"
                           "suite = \"age\"\n"
                           "recipients = [\"%s\"]\n"
                           "[[keys.incoming]]\n"
                           "version = 1\n"
                           "suite = \"age\"\n"
                           "secret = { host = \"identity\" }\n"
                           "[[keys.verifying]]\n"
                           "id = \"%s/1\"\n"
                           "public = \"%s\"\n",
                           site, site, recipient, site, verifying);
    check(written > 0 && (size_t)written < size, "the settings fit");
}

struct site {
    const char *id;
    cw_signing_key *signing;
    cw_buffer *identity, *recipient, *verifying;
};

static struct site site_of(const char *id, const char *key_id) {
    struct site site = {id, NULL, NULL, NULL, NULL};
    check(cw_signing_key_generate(CW_Z(key_id), &site.signing, &error) == CW_OK, "a signing key");
    check(strcmp(cw_signing_key_id(site.signing), key_id) == 0, "its id");
    check(cw_signing_key_verifying_text(site.signing, &site.verifying, &error) == CW_OK, "its public part");
    check(cw_age_generate(&site.identity, &site.recipient, &error) == CW_OK, "an identity");
    return site;
}

static void end(struct site site) {
    cw_signing_key_free(site.signing);
    cw_buffer_free(site.identity);
    cw_buffer_free(site.recipient);
    cw_buffer_free(site.verifying);
}

#define TEXT(buffer) ((const char *)cw_buffer_data(buffer))

/* The partner `other` as `here` knows it, reached through a drop folder. */
static void knows(struct site here, struct site other, const char *folder) {
    char settings[2048];
    settings_of(settings, sizeof settings, other.id, TEXT(other.recipient), TEXT(other.verifying));
    struct store store = {"identity", TEXT(here.identity)};
    cw_secrets secrets;
    memset(&secrets, 0, sizeof secrets);
    secrets.struct_size = sizeof secrets;
    secrets.secret = secret;
    secrets.user_data = &store;

    cw_transport *transport = NULL;
    check(cw_transport_directory(CW_Z(folder), NULL, 0, &transport, &error) == CW_OK, "a drop folder");
    cw_partner *partner = NULL;
    check(cw_partner_from_toml(CW_Z(settings), &secrets, transport, &partner, &error) == CW_OK, "a partner");
    check(strcmp(cw_partner_site(partner), other.id) == 0, "the partner's site");
    check(strncmp(cw_partner_alias(partner), "Partner ", 8) == 0, "the partner's alias");
    cw_partner_free(partner);

    /* The same by way of JSON, where the host reads what stands in it. */
    cw_buffer *json = NULL, *number = NULL;
    check(cw_partner_settings_check(CW_Z(settings), CW_STR("toml"), &json, &error) == CW_OK, "the check");
    check(cw_json_get(TEXT(json), cw_buffer_len(json), CW_STR("/number"), &number, &error) == CW_OK, "a member");
    check(strcmp(TEXT(number), "7") == 0, "the number");
    partner = NULL;
    check(cw_partner_from_json(TEXT(json), cw_buffer_len(json), &secrets, NULL, &partner, &error) == CW_OK, "JSON");
    cw_partner_free(partner);
    cw_buffer_free(number);
    cw_buffer_free(json);

    /* A secret that is not there is told by its place. */
    store.name = "another";
    partner = NULL;
    check(cw_partner_from_toml(CW_Z(settings), &secrets, transport, &partner, &error) == CW_ERR_INVALID_SETTINGS, "no");
    check(partner == NULL && cw_error_detail_count(error) == 1, "one mistake");
    check(strstr(cw_error_detail(error, 0), "keys.incoming[0]") != NULL, "its place");
    cw_error_free(error);
    error = NULL;
    cw_transport_free(transport);
}

/* A partner whose keys end and follow each other, and a site that signs with a key of which none follows. */
static void looks_after_keys(struct site here, struct site other, const char *folder) {
    cw_buffer *mark = NULL, *keys = NULL, *part = NULL;
    check(cw_key_fingerprint(CW_Z(TEXT(other.recipient)), &mark, &error) == CW_OK, "a fingerprint");
    check(cw_buffer_len(mark) == 39 && TEXT(mark)[4] == ' ', "eight groups of four");
    check(cw_key_fingerprint(CW_Z(TEXT(here.identity)), &part, &error) == CW_ERR_INVALID_KEY, "a secret has none");
    check(part == NULL && strstr(cw_error_message(error), TEXT(here.identity)) == NULL, "and is not shown");
    cw_error_free(error);
    error = NULL;

    char settings[2048];
    int written = snprintf(settings, sizeof settings,
                           "site = \"%s\"\nnumber = 7\nalias = \"Partner\"\n"
                           "[[keys.outgoing]]\nversion = 1\nvalid_until = 2020-01-01T00:00:00Z\n"
                           "suite = \"age\"\nrecipients = [\"%s\"]\n"
                           "[[keys.outgoing]]\nversion = 2\nvalid_from = 2019-12-01T00:00:00Z\n"
                           "suite = \"age\"\nrecipients = [\"%s\"]\n"
                           "[[keys.incoming]]\nversion = 1\nretired = 2020-01-01T00:00:00Z\n"
                           "[[keys.verifying]]\nid = \"%s/1\"\npublic = \"%s\"\n",
                           other.id, TEXT(here.recipient), TEXT(other.recipient), other.id, TEXT(other.verifying));
    check(written > 0 && (size_t)written < sizeof settings, "the settings fit");
    cw_partner *partner = NULL;
    check(cw_partner_from_toml(CW_Z(settings), NULL, NULL, &partner, &error) == CW_OK, "a partner with many keys");
    check(cw_partner_keys(partner, &keys, &error) == CW_OK, "its keys");
    static const char *const states[] = {"ended", "valid", "retired", "valid"};
    for (int i = 0; i < 4; i++) {
        char pointer[32];
        snprintf(pointer, sizeof pointer, "/%d/state", i);
        check(cw_json_get(TEXT(keys), cw_buffer_len(keys), CW_Z(pointer), &part, &error) == CW_OK, "a state");
        check(strcmp(TEXT(part), states[i]) == 0, TEXT(part));
        cw_buffer_free(part);
    }
    check(strstr(TEXT(keys), TEXT(mark)) != NULL, "the fingerprint of version 2");
    cw_buffer_free(keys);
    cw_buffer_free(mark);

    cw_case_system *cases = NULL;
    cw_exchange_settings *opened = NULL;
    cw_exchange *exchange = NULL;
    char path[1024];
    snprintf(path, sizeof path, "%s/own-cases", folder);
    check(cw_case_system_open(CW_Z(path), NULL, 0, &cases, &error) == CW_OK, "a case system");
    snprintf(path, sizeof path, "%s/own", folder);
    check(cw_exchange_settings_new(CW_Z(here.id), CW_Z(path), here.signing, cases, &opened, &error) == CW_OK, "settings");
    check(cw_exchange_settings_add_partner(opened, partner, &error) == CW_OK, "with the partner");
    check(cw_exchange_settings_set_warning_days(opened, 30, &error) == CW_OK, "warned a month before");
    check(cw_exchange_open(opened, &exchange, &error) == CW_OK, "an exchange");
    cw_buffer *warnings = NULL;
    check(cw_exchange_warnings(exchange, &warnings, &error) == CW_OK, "the warnings");
    check(strcmp(TEXT(warnings), "[]") == 0, TEXT(warnings));
    cw_buffer_free(warnings);

    /* The only key gets an end that has passed. */
    check(cw_signing_key_set_validity(here.signing, NULL, 0, CW_STR("2020-01-01T00:00:00Z"), &error) == CW_OK, "an end");
    check(cw_exchange_set_signing_key(exchange, here.signing, &error) == CW_OK, "told");
    check(cw_exchange_warnings(exchange, &warnings, &error) == CW_OK, "the warnings");
    check(strstr(TEXT(warnings), "no-valid-key") != NULL, TEXT(warnings));
    cw_buffer_free(warnings);
    check(cw_exchange_set_signing_key(exchange, other.signing, &error) == CW_OK, "another key");
    check(cw_exchange_signing_keys(exchange, &keys, &error) == CW_OK, "both keys");
    check(strstr(TEXT(keys), "ended") != NULL && strstr(TEXT(keys), "valid\"") != NULL, TEXT(keys));
    check(strstr(TEXT(keys), "secret") == NULL, "and nothing secret");
    cw_buffer_free(keys);
    check(cw_exchange_warnings(exchange, &warnings, &error) == CW_OK, "no warning any more");
    check(strcmp(TEXT(warnings), "[]") == 0, TEXT(warnings));
    cw_buffer_free(warnings);
    cw_exchange_free(exchange);
    cw_case_system_free(cases);
    cw_partner_free(partner);

    check(cw_signing_key_set_validity(here.signing, CW_STR("2026-06-01T00:00:00Z"), CW_STR("2026-05-01T00:00:00Z"),
                                      &error) == CW_ERR_INVALID_ARGUMENT,
          "an end before the beginning");
    cw_error_free(error);
    error = NULL;
}

static int32_t collect(void *user_data, const uint8_t *data, size_t len) {
    char *text = user_data;
    if (strlen(text) + len >= 64) {
        return CW_ERR_INTERNAL;
    }
    strncat(text, (const char *)data, len);
    return CW_OK;
}

static void keeps_claims(const char *folder) {
    cw_case_system *cases = NULL;
    check(cw_case_system_open(CW_Z(folder), CW_STR("{\"claim_types\": [\"AB\"]}"), &cases, &error) == CW_OK, "open");
    check(cw_case_system_put(cases, CW_STR("{\"claim\": {\"id\": \"ON-INS/C-1\"}}"), &error) == CW_OK, "put");
    char path[1024];
    snprintf(path, sizeof path, "%s/report.txt", folder);
    FILE *report = fopen(path, "wb");
    check(report != NULL && fputs("left knee: sprain", report) >= 0 && fclose(report) == 0, "a report");
    check(cw_case_system_add_document_file(cases, CW_STR("ON-INS/C-1"),
                                           CW_STR("{\"id\": \"ON-INS/D-1\", \"name\": \"report.txt\"}"), CW_Z(path),
                                           NULL, &error) == CW_OK,
          "add");
    char text[64] = "";
    check(cw_case_system_read_document(cases, CW_STR("ON-INS/C-1"), CW_STR("ON-INS/D-1"), 0, collect, text, &error) ==
              CW_OK,
          "read");
    check(strcmp(text, "left knee: sprain") == 0, "the bytes");
    cw_case_system_free(cases);
}

int main(int argc, char **argv) {
    check(argc == 2, "one argument: a folder");
    char folder[1024];
    struct site insurer = site_of("ON-INS", "ON-INS/1"), examiner = site_of("IMEX", "IMEX/1");
    snprintf(folder, sizeof folder, "%s/to-examiner", argv[1]);
    knows(insurer, examiner, folder);
    snprintf(folder, sizeof folder, "%s/to-insurer", argv[1]);
    knows(examiner, insurer, folder);
    snprintf(folder, sizeof folder, "%s/cases", argv[1]);
    keeps_claims(folder);
    looks_after_keys(insurer, examiner, argv[1]);
    end(insurer);
    end(examiner);
    puts("two partners");
    return 0;
}
