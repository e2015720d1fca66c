/* Two sites exchange a claim there and back, through the C functions alone. Arguments: a folder, and a suite. */
#include <claimwire.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(buffer) ((const char *)cw_buffer_data(buffer))
#define CLAIM CW_STR("ON-INS/C-1")

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

static void works(int32_t code, const char *what) {
    check(code == CW_OK, what);
}

/* Fails with this code, says why, and the error is ended. */
static void fails(int32_t code, int32_t expected, const char *what) {
    check(code == expected && cw_error_code(error) == expected && cw_error_message(error)[0] != '\0', what);
    cw_error_free(error);
    error = NULL;
}

/* One member of a JSON document is this text; the document is freed. */
static void says(cw_buffer *json, const char *pointer, const char *expected) {
    cw_buffer *value = NULL;
    works(cw_json_get(TEXT(json), cw_buffer_len(json), CW_Z(pointer), &value, &error), pointer);
    if (strcmp(TEXT(value), expected) != 0) {
        fprintf(stderr, "%s is %s, not %s\n", pointer, TEXT(value), expected);
        exit(1);
    }
    cw_buffer_free(value);
    cw_buffer_free(json);
}

struct site {
    const char *id;
    cw_signing_key *signing;
    cw_buffer *identity, *recipient, *verifying;
    cw_case_system *cases;
    cw_exchange *exchange;
    int events[16];
    int event_count;
    int dropped;
    int dropped_scan;
};

static void told(void *user_data, const cw_event *event) {
    struct site *site = user_data;
    check(cw_event_package(event) != NULL && cw_event_partner(event) != NULL, "an event's ids");
    check(strstr(cw_event_json(event), cw_event_name(event)) != NULL, "an event as JSON");
    if (site->event_count < 16) {
        site->events[site->event_count++] = cw_event_kind(event);
    }
}

static void dropped(void *user_data) {
    ((struct site *)user_data)->dropped++;
}

/* Finds what says so of itself. */
static int32_t scan(void *user_data, const char *document, const char *path, cw_failure *failure) {
    char word[9] = "";
    FILE *file = fopen(path, "rb");
    (void)user_data;
    check(document[0] != '\0' && file != NULL, "a document to scan");
    check(fread(word, 1, 8, file) > 0 && fclose(file) == 0, "its bytes");
    if (strcmp(word, "infected") == 0) {
        cw_failure_set(failure, CW_ERR_INFECTED_DOCUMENT, CW_STR("Test.Finding"), 0, NULL);
        return CW_ERR_INFECTED_DOCUMENT;
    }
    return strcmp(word, "unclear1") == 0 ? CW_ERR_TIMED_OUT : CW_OK;
}

static void dropped_scan(void *user_data) {
    ((struct site *)user_data)->dropped_scan++;
}

static void had(struct site *site, int first, int second) {
    int count = second == 0 ? 1 : 2;
    check(site->event_count == count && site->events[0] == first && (count == 1 || site->events[1] == second),
          "the events");
    site->event_count = 0;
}

static void open_site(struct site *site, const char *id, const char *folder) {
    char path[1024], key_id[64];
    memset(site, 0, sizeof *site);
    site->id = id;
    snprintf(key_id, sizeof key_id, "%s/1", id);
    works(cw_signing_key_generate(CW_Z(key_id), &site->signing, &error), "a signing key");
    works(cw_signing_key_verifying_text(site->signing, &site->verifying, &error), "its public part");
    works(cw_age_generate(&site->identity, &site->recipient, &error), "an identity");
    snprintf(path, sizeof path, "%s/%s-cases", folder, id);
    works(cw_case_system_open(CW_Z(path), NULL, 0, &site->cases, &error), "a case system");
    snprintf(path, sizeof path, "%s/%s", folder, id);
    cw_exchange_settings *settings = NULL;
    works(cw_exchange_settings_new(CW_Z(id), CW_Z(path), site->signing, site->cases, &settings, &error), "settings");
    works(cw_exchange_settings_on_event(settings, told, site, dropped, &error), "a listener");
    cw_clamd_options clamd;
    memset(&clamd, 0, sizeof clamd);
    clamd.struct_size = sizeof clamd;
    clamd.address = "192.0.2.7:3310";
    clamd.address_len = strlen(clamd.address);
    fails(cw_exchange_settings_set_clamd(settings, &clamd, &error), CW_ERR_INVALID_SETTINGS, "not on this machine");
    clamd.on_trusted_network = 1;
    works(cw_exchange_settings_set_clamd(settings, &clamd, &error), "a clamd elsewhere");
    works(cw_exchange_settings_set_document_scan(settings, scan, site, dropped_scan, &error), "a scanner in its place");
    cw_package_limits limits;
    memset(&limits, 0, sizeof limits);
    limits.struct_size = sizeof limits;
    limits.entries = 100;
    works(cw_exchange_settings_set_package_limits(settings, &limits, &error), "limits");
    works(cw_exchange_open(settings, &site->exchange, &error), "an exchange");
}

static void end_site(struct site *site) {
    cw_exchange_free(site->exchange);
    cw_case_system_free(site->cases);
    cw_signing_key_free(site->signing);
    cw_buffer_free(site->identity);
    cw_buffer_free(site->recipient);
    cw_buffer_free(site->verifying);
}

/* The secrets of the host, by their names. */
static int32_t secret(void *user_data, const char *name, size_t name_len, cw_secret *into, cw_failure *failure) {
    const struct site *here = user_data;
    (void)failure;
    if (name_len == 8 && memcmp(name, "identity", 8) == 0) {
        return cw_secret_set(into, TEXT(here->identity), cw_buffer_len(here->identity), NULL);
    }
    return cw_secret_set(into, CW_STR("legacy-Secret1"), NULL);
}

/* `here` learns of `other`, and reaches it in this process. */
static void knows(struct site *here, struct site *other, const char *suite) {
    char settings[2048], keys[1024];
    if (strcmp(suite, "age") == 0) {
        snprintf(keys, sizeof keys,
                 "[keys.outgoing]\nversion = 1\nsuite = \"age\"\nrecipients = [\"%s\"]\n"
                 "[[keys.incoming]]\nversion = 1\nsuite = \"age\"\nsecret = { host = \"identity\" }\n",
                 TEXT(other->recipient));
    } else {
        const char *key = "version = 1\nsuite = \"des-md5\"\nframing = \"openssl\"\nsecret = { host = \"password\" }\n";
        snprintf(keys, sizeof keys, "[keys.outgoing]\n%s[[keys.incoming]]\n%s", key, key);
    }
    snprintf(settings, sizeof settings,
             "site = \"%s\"\nnumber = 1\nalias = \"Partner %s\"\nconflicts = \"stop\"\n%s"
             "[[keys.verifying]]\nid = \"%s/1\"\npublic = \"%s\"\n",
             other->id, other->id, keys, other->id, TEXT(other->verifying));
    cw_secrets secrets;
    memset(&secrets, 0, sizeof secrets);
    secrets.struct_size = sizeof secrets;
    secrets.secret = secret;
    secrets.user_data = here;
    cw_transport *transport = NULL;
    cw_partner *partner = NULL;
    works(cw_transport_memory(other->exchange, &transport, &error), "a transport");
    works(cw_partner_from_toml(CW_Z(settings), &secrets, transport, &partner, &error), "a partner");
    works(cw_exchange_set_partner(here->exchange, partner, &error), "the partner is set");
    cw_partner_free(partner);
    cw_transport_free(transport);
}

static int32_t export_to(struct site *from, struct site *to, char *package) {
    cw_export_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.by = "dana";
    options.by_len = 4;
    return cw_exchange_export(from->exchange, CLAIM, CW_Z(to->id), &options, NULL, package, NULL, &error);
}

static int32_t unpack(struct site *at, const char *package, int32_t *state, cw_buffer **json) {
    return cw_exchange_unpack(at->exchange, CW_Z(package), CW_STR("front desk"), NULL, state, NULL, json, &error);
}

static void add_note(struct site *at, const char *note) {
    works(cw_case_system_add_note(at->cases, CLAIM, CW_Z(note), &error), "a note");
}

static void has_status(struct site *at, const char *status) {
    cw_buffer *file = NULL;
    works(cw_case_system_load(at->cases, CLAIM, &file, &error), "the claim");
    says(file, "/claim/status", status);
}

/* Sets the claim's status, which stands in its file as `was`. */
static void set_status(struct site *at, const char *was, const char *status) {
    cw_buffer *file = NULL;
    char changed[8192], member[64];
    works(cw_case_system_load(at->cases, CLAIM, &file, &error), "the claim");
    snprintf(member, sizeof member, "\"status\":\"%s\"", was);
    const char *place = strstr(TEXT(file), member);
    check(place != NULL, member);
    snprintf(changed, sizeof changed, "%.*s\"status\":\"%s\"%s", (int)(place - TEXT(file)), TEXT(file), status,
             place + strlen(member));
    works(cw_case_system_put(at->cases, CW_Z(changed), &error), "put");
    cw_buffer_free(file);
}

static int32_t count_lines(void *user_data, const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        *(uint64_t *)user_data += data[i] == '\n';
    }
    return CW_OK;
}

static void history_holds(struct site *site) {
    cw_buffer *head = NULL, *entries = NULL;
    uint64_t lines = 0, written = 0;
    works(cw_exchange_verify_history(site->exchange, &head, &error), "the history");
    works(cw_exchange_verify_history_from(site->exchange, TEXT(head), cw_buffer_len(head), NULL, &error), "its head");
    works(cw_exchange_history(site->exchange, CW_STR("{\"limit\": 1}"), &entries, &error), "a page");
    works(cw_exchange_export_history(site->exchange, NULL, 0, count_lines, &lines, &written, &error), "its export");
    check(lines == written && lines > 5, "the lines");
    says(entries, "/0/number", "1");
    cw_buffer_free(head);
}

/* A document of which the scanner says this holds back the package it comes in. */
static void holds_back(struct site *from, struct site *at, const char *folder, const char *says, int32_t expected,
                       const char *why) {
    char path[1024], document[128], package[CW_PACKAGE_ID_SIZE];
    snprintf(path, sizeof path, "%s/%s", folder, says);
    FILE *file = fopen(path, "wb");
    check(file != NULL && fputs(says, file) >= 0 && fclose(file) == 0, "a document's file");
    snprintf(document, sizeof document, "{\"id\": \"ON-INS/D-1\", \"name\": \"report.txt\"}");
    works(cw_case_system_add_document_file(from->cases, CLAIM, CW_Z(document), CW_Z(path), NULL, &error), "a document");
    snprintf(document, sizeof document, "{\"id\": \"ON-INS/N-%s\", \"body\": \"See the report.\"}", says);
    add_note(from, document);
    works(export_to(from, at, package), "its export");
    works(cw_exchange_send(from->exchange, CW_Z(package), NULL, NULL, NULL, &error), "its send");
    int32_t code = unpack(at, package, NULL, NULL);
    check(strstr(cw_error_message(error), "ON-INS/D-1") != NULL && strstr(cw_error_message(error), why) != NULL, why);
    fails(code, expected, "the scan");
}

int main(int argc, char **argv) {
    check(argc == 3, "two arguments: a folder and a suite");
    struct site insurer, examiner;
    char package[CW_PACKAGE_ID_SIZE], back[CW_PACKAGE_ID_SIZE];
    int32_t state = 0, blocked = 0;
    cw_buffer *json = NULL;
    open_site(&insurer, "ON-INS", argv[1]);
    open_site(&examiner, "IMEX", argv[1]);
    knows(&insurer, &examiner, argv[2]);
    knows(&examiner, &insurer, argv[2]);

    /* The rules: no note, no number. Both are told at once. */
    works(cw_case_system_put(insurer.cases, CW_STR("{\"claim\": {\"id\": \"ON-INS/C-1\"}}"), &error), "a claim");
    int32_t code = export_to(&insurer, &examiner, package);
    check(cw_error_detail_count(error) == 2 && package[0] == '\0', "two rules are violated");
    fails(code, CW_ERR_EXPORT_RULES_VIOLATED, "the rules");

    /* There. */
    const char *claim = "{\"claim\": {\"id\": \"ON-INS/C-1\", \"claim_number\": \"C-1\", \"status\": \"open\"}, "
                        "\"notes\": [{\"id\": \"ON-INS/N-1\", \"body\": \"Please examine the left knee.\"}]}";
    works(cw_case_system_put(insurer.cases, CW_Z(claim), &error), "a claim");
    works(export_to(&insurer, &examiner, package), "an export");
    works(cw_exchange_send(insurer.exchange, CW_Z(package), NULL, &state, NULL, &error), "a send");
    check(state == CW_OUTGOING_DELIVERED && strcmp(cw_state_name(state), "delivered") == 0, "delivered");
    had(&insurer, CW_EVENT_EXPORTED, CW_EVENT_DELIVERED);
    had(&examiner, CW_EVENT_NEW_PACKAGE, 0);
    works(cw_exchange_preview(examiner.exchange, CW_Z(package), NULL, &blocked, &json, &error), "a preview");
    says(json, "/adds_claim", "true");
    works(unpack(&examiner, package, &state, &json), "an unpack");
    check(state == CW_INCOMING_UNPACKED && blocked == 0, "unpacked");
    says(json, "/acknowledgement/outcome", "told");
    had(&insurer, CW_EVENT_UNPACKED, 0);
    has_status(&examiner, "open");

    /* The receipt is evidence, and only of what it says. */
    cw_buffer *receipt = NULL;
    works(cw_exchange_outgoing(insurer.exchange, CW_Z(package), &state, &json, &error), "the package");
    works(cw_json_get(TEXT(json), cw_buffer_len(json), CW_STR("/last_receipt"), &receipt, &error), "its receipt");
    cw_buffer_free(json);
    json = NULL;
    works(cw_receipt_verify(TEXT(receipt), cw_buffer_len(receipt), CW_STR("IMEX/1"), TEXT(examiner.verifying),
                            cw_buffer_len(examiner.verifying), &json, &error),
          "the receipt's signature");
    says(json, "/receipt/state", "unpacked");
    fails(cw_receipt_verify(TEXT(receipt), cw_buffer_len(receipt), CW_STR("IMEX/1"), TEXT(insurer.verifying),
                            cw_buffer_len(insurer.verifying), NULL, &error),
          CW_ERR_BAD_SIGNATURE, "another's key");
    cw_buffer_free(receipt);

    /* A note back, applied as it arrives. */
    add_note(&examiner, "{\"id\": \"IMEX/N-1\", \"body\": \"Examined: a sprain.\"}");
    works(cw_exchange_export_notes(examiner.exchange, CLAIM, CW_STR("ON-INS"), CW_STR("front desk"), back, NULL, &error),
          "notes");
    works(cw_exchange_send(examiner.exchange, CW_Z(back), NULL, &state, NULL, &error), "the notes");
    check(state == CW_OUTGOING_UNPACKED, "applied");
    had(&insurer, CW_EVENT_NEW_NOTE, 0);
    size_t viewed = 0;
    works(cw_exchange_mark_viewed(insurer.exchange, CLAIM, CW_STR("dana"), &viewed, NULL, &error), "viewed");
    check(viewed == 1, "one was new");

    /* The claim back, with another status. */
    set_status(&examiner, "open", "examined");
    add_note(&examiner, "{\"id\": \"IMEX/N-2\", \"body\": \"Ready to close.\"}");
    works(export_to(&examiner, &insurer, back), "an export back");
    size_t not_sent = 7;
    works(cw_exchange_send_queued(examiner.exchange, CW_STR("ON-INS"), NULL, &not_sent, NULL, &error), "the queue");
    check(not_sent == 0, "all went");
    works(cw_exchange_replay(examiner.exchange, CW_Z(back), CW_STR("front desk"), &state, NULL, &error), "a replay");
    check(state == CW_OUTGOING_QUEUED, "queued again");
    int64_t next_ms = 7;
    works(cw_exchange_send_due(examiner.exchange, NULL, &next_ms, NULL, &error), "what is due");
    check(next_ms == -1, "nothing waits");
    size_t replayed = 7;
    works(cw_exchange_replay_since(examiner.exchange, CW_STR("ON-INS"), CW_STR("2999-01-01T00:00:00Z"),
                                   CW_STR("front desk"), &replayed, NULL, &error),
          "a replay of what is to come");
    check(replayed == 0, "nothing");
    cw_outbox *outbox = NULL;
    works(cw_outbox_start(examiner.exchange, &outbox, &error), "an outbox");
    cw_outbox_free(outbox);
    check(cw_error_is_ambiguous(NULL) == 0 && cw_error_retry_after_ms(NULL) == 0, "no error asks for nothing");
    works(unpack(&insurer, back, &state, NULL), "an unpack there");
    has_status(&insurer, "examined");

    /* Both change the status: a conflict, which stops the unpack and shows before. */
    set_status(&insurer, "examined", "paid");
    set_status(&examiner, "examined", "disputed");
    add_note(&insurer, "{\"id\": \"ON-INS/N-2\", \"body\": \"It was paid.\"}");
    works(export_to(&insurer, &examiner, package), "an export in conflict");
    works(cw_exchange_send(insurer.exchange, CW_Z(package), NULL, NULL, NULL, &error), "its send");
    works(cw_exchange_preview(examiner.exchange, CW_Z(package), NULL, &blocked, NULL, &error), "its preview");
    check(blocked == 1, "blocked");
    fails(unpack(&examiner, package, &state, NULL), CW_ERR_CONFLICT, "the conflict");
    has_status(&examiner, "disputed");

    holds_back(&insurer, &examiner, argv[1], "unclear1", CW_ERR_SCAN_FAILED, "without a word");
    holds_back(&insurer, &examiner, argv[1], "infected", CW_ERR_INFECTED_DOCUMENT, "Test.Finding");
    check(examiner.events[examiner.event_count - 1] == CW_EVENT_INFECTED_PACKAGE, "the event");

    history_holds(&insurer);
    history_holds(&examiner);

    /* What monitoring is told: a failed unpack is worth a look, and the site does its work. */
    int32_t health = CW_HEALTH_FAIL;
    works(cw_exchange_health(insurer.exchange, &health, NULL, &error), "the insurer's health");
    check(health == (strcmp(argv[2], "age") == 0 ? CW_HEALTH_PASS : CW_HEALTH_WARN), "a legacy suite is to be reviewed");
    works(cw_exchange_health(examiner.exchange, &health, &json, &error), "the examiner's health");
    check(health == CW_HEALTH_WARN, "a package could not be unpacked");
    says(json, "/status", "warn");
    works(cw_exchange_health(examiner.exchange, NULL, &json, &error), "its ledger");
    says(json, "/checks/0/code", "ledger");
    works(cw_exchange_metrics(insurer.exchange, &json, &error), "the counters");
    /* What was not unpacked there: a conflict, and the two that the scanner held back. */
    says(json, "/outbox/delivered", "3");
    works(cw_exchange_openmetrics(insurer.exchange, &json, &error), "their text");
    check(strstr(TEXT(json), "claimwire_outbox_packages{state=\"delivered\"} 3\n") != NULL, "a gauge");
    check(strstr(TEXT(json), "# EOF\n") != NULL, "its end");
    cw_buffer_free(json);
    json = NULL;

    /* Each transport keeps the other exchange open. */
    works(cw_exchange_remove_partner(insurer.exchange, CW_STR("IMEX"), NULL, &error), "the partner is taken out");
    works(cw_exchange_remove_partner(examiner.exchange, CW_STR("ON-INS"), NULL, &error), "and the other");
    end_site(&insurer);
    end_site(&examiner);
    check(insurer.dropped == 1 && examiner.dropped == 1, "the listeners' data was ended once");
    check(insurer.dropped_scan == 1 && examiner.dropped_scan == 1, "so was the scanners'");
    puts("there and back");
    return 0;
}
