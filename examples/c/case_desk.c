/*
 * A small case desk in C, with claims in plain files and a transport of its own: a claim goes from an insurer to a medical
 * examiner and back, and each side keeps what is its own.
 *
 *     cc -std=c99 case_desk.c $(pkg-config --cflags --libs claimwire) -lpthread -o case_desk && ./case_desk [FOLDER]
 *
 * It checks its own result and exits with 1 when anything differs.
 */
#define _POSIX_C_SOURCE 200809L

#include "site.h"

#define CLAIM "ON-INS/C-1"

/* The way to the other site: here both are in one program, and the request is handed over as it is. */
typedef struct {
    const site *other;
} line;

/* A cw_read_fn over the body that is to be sent. */
static int32_t read_body(void *user_data, uint8_t *buffer, size_t capacity, size_t *len) {
    return cw_body_read(user_data, buffer, capacity, len, NULL);
}

/* A cw_send_fn. Over a network, this is where the bytes would be written, and the answer read. */
static int32_t carry(void *user_data, const cw_request *request, cw_body *body, cw_reply *reply, cw_failure *failure) {
    const line *line = user_data;
    cw_header headers[100];
    cw_response *response = NULL;
    size_t count = cw_request_header_count(request);
    if (line->other->exchange == NULL) {
        return failed(failure, CW_ERR_UNREACHABLE, "the other site's desk is closed");
    }
    for (size_t i = 0; i < count; i++) {
        headers[i].name = cw_request_header_name(request, i);
        headers[i].name_len = strlen(headers[i].name);
        headers[i].value = cw_request_header_value(request, i);
        headers[i].value_len = strlen(headers[i].value);
    }
    int32_t code = cw_exchange_answer(line->other->exchange, CW_Z(cw_request_method(request)),
                                      CW_Z(cw_request_path(request)), headers, count, NULL, read_body, body, &response,
                                      NULL);
    if (code == CW_OK) {
        code = cw_reply_status(reply, cw_response_status(response), NULL);
    }
    for (size_t i = 0; code == CW_OK && i < cw_response_header_count(response); i++) {
        code = cw_reply_header(reply, CW_Z(cw_response_header_name(response, i)),
                               CW_Z(cw_response_header_value(response, i)), NULL);
    }
    if (code == CW_OK) {
        code = cw_reply_body(reply, cw_response_body(response), cw_response_body_len(response), NULL);
    }
    cw_response_free(response);
    return code;
}

static cw_transport *line_to(line *line, const site *other) {
    cw_transport *transport = NULL;
    cw_transport_functions functions = {0};
    line->other = other;
    functions.struct_size = sizeof functions;
    functions.send = carry;
    functions.base_path = "/claimwire";
    functions.base_path_len = strlen(functions.base_path);
    MUST(cw_transport_new(&functions, line, NULL, &transport, &fault));
    return transport;
}

/* The claim file as the insurer has it: with a reserve and a note that are nobody else's business. */
static void open_claim(const site *insurer) {
    char *letter = store_document(insurer->store, "Please examine the left knee of the insured.\n");
    char *memo = store_document(insurer->store, "We expect a settlement.\n");
    char *json = joined("{\"claim\":{\"id\":\"" CLAIM "\",\"claim_number\":\"CLM-2026-0117\",\"status\":\"open\","
                        "\"custom_fields\":{\"reserve_amount\":\"12000.00\"}},"
                        "\"assessments\":[{\"id\":\"ON-INS/A-1\",\"type\":\"IME\",\"status\":\"scheduled\"}],\"notes\":["
                        "{\"id\":\"ON-INS/N-1\",\"author\":\"Dana Whitfield\",\"body\":\"Please examine the left knee.\"},"
                        "{\"id\":\"ON-INS/N-2\",\"author\":\"Dana Whitfield\",\"body\":\"Settle early.\",\"internal\":true}],"
                        "\"documents\":[{\"id\":\"ON-INS/D-1\",\"name\":\"letter.txt\",",
                        letter, "},{\"id\":\"ON-INS/D-2\",\"name\":\"memo.txt\",\"internal\":true,");
    char *file = joined(json, memo, "}]}");
    check("the claim is filed", store_claim(insurer->store, CLAIM, file));
    free(letter);
    free(memo);
    free(json);
    free(file);
}

/* `file` with the first `from` replaced by `to`. The caller frees it. */
static char *replaced(char *file, const char *from, const char *to) {
    char *at = strstr(file, from);
    check("the claim file has what is to be changed", at != NULL);
    *at = '\0';
    char *changed = joined(file, to, at + strlen(from));
    free(file);
    return changed;
}

/* What the examiner does: a report, a note for the insurer, a note of his own. */
static void examine(const site *examiner) {
    char *file = load_claim(examiner->store, CLAIM);
    check("the claim is at the examiner's", file != NULL);
    char *report = store_document(examiner->store, "Sprain of the medial collateral ligament; it heals.\n");
    char *record = joined("\"documents\":[{\"id\":\"IMEX/D-1\",\"name\":\"report.txt\",", report, "},");
    file = replaced(file, "\"status\":\"scheduled\"", "\"status\":\"completed\"");
    file = replaced(file, "\"notes\":[",
                    "\"notes\":[{\"id\":\"IMEX/N-1\",\"author\":\"Dr. L. Brandt\",\"body\":\"The report is attached.\"},"
                    "{\"id\":\"IMEX/N-2\",\"author\":\"Dr. L. Brandt\",\"body\":\"Bill separately.\",\"internal\":true},");
    file = replaced(file, "\"documents\":[", record);
    check("the examined claim is filed", store_claim(examiner->store, CLAIM, file));
    free(report);
    free(record);
    free(file);
}

/* Whether the claim file of a site speaks of something. */
static int speaks_of(const site *site, const char *words) {
    char *file = load_claim(site->store, CLAIM);
    int found = file != NULL && strstr(file, words) != NULL;
    free(file);
    return found;
}

/* Whether the bytes of a document are at a site, as they were written. */
static int has_document(const site *site, const char *document, const char *bytes) {
    char *file = load_claim(site->store, CLAIM), *path = file == NULL ? NULL : document_path(site->store, file, document);
    char *there = path == NULL ? NULL : read_text(path);
    int same = there != NULL && strcmp(there, bytes) == 0;
    free(file);
    free(path);
    free(there);
    return same;
}

static void check_history(const site *site) {
    cw_buffer *history = NULL, *steps = NULL;
    MUST(cw_exchange_verify_history(site->exchange, NULL, &fault));
    MUST(cw_exchange_history(site->exchange, NULL, 0, &history, &fault));
    check("the history is there, and nobody altered it", cw_json_get(CW_Z(text(history)), CW_STR("/3"), &steps, NULL) == CW_OK);
    cw_buffer_free(history);
    cw_buffer_free(steps);
}

int main(int argc, char **argv) {
    char new_folder[] = "/tmp/case_desk-XXXXXX";
    site insurer, examiner;
    line to_examiner, to_insurer;

    step("Two sites open their desks");
    const char *folder = site_folder(argc, argv, new_folder);
    char *insurer_folder = joined(folder, "/insurer", ""), *examiner_folder = joined(folder, "/examiner", "");
    site_prepare(&insurer, "ON-INS", "Northern Mutual Insurance", insurer_folder);
    site_prepare(&examiner, "IMEX", "Independent Medical Examiners", examiner_folder);
    cw_transport *out = line_to(&to_examiner, &examiner), *back = line_to(&to_insurer, &insurer);
    site_open(&insurer, &examiner, out);

    step("The insurer has a claim, and the examiner's desk is still closed");
    open_claim(&insurer);
    cw_export_options how = {0};
    char package[CW_PACKAGE_ID_SIZE];
    how.struct_size = sizeof how;
    how.by = "d.whitfield";
    how.by_len = strlen(how.by);
    MUST(cw_exchange_export(insurer.exchange, CW_STR(CLAIM), CW_Z(examiner.id), &how, NULL, package, NULL, &fault));
    int32_t code = cw_exchange_send(insurer.exchange, CW_Z(package), NULL, NULL, NULL, &fault);
    check("the package waits, and can be sent again", code == CW_ERR_UNREACHABLE && cw_error_is_retryable(fault));
    printf("  %s\n", cw_error_message(fault));
    cw_error_free(fault);
    fault = NULL;

    step("The examiner opens; the package goes out");
    int32_t state = 0;
    site_open(&examiner, &insurer, back);
    MUST(cw_exchange_send(insurer.exchange, CW_Z(package), NULL, &state, NULL, &fault));
    check("the examiner holds it and signed a receipt", state == CW_OUTGOING_DELIVERED);
    code = cw_exchange_export(insurer.exchange, CW_STR(CLAIM), CW_Z(examiner.id), &how, NULL, NULL, NULL, &fault);
    check("a second export without a new note is refused", code == CW_ERR_EXPORT_RULES_VIOLATED);
    cw_error_free(fault);
    fault = NULL;

    step("The examiner unpacks");
    site_unpack(&examiner, "front.desk");
    check("the letter arrived byte for byte",
          has_document(&examiner, "ON-INS/D-1", "Please examine the left knee of the insured.\n"));
    check("the note arrived", speaks_of(&examiner, "Please examine the left knee."));
    check("the internal note and memo stayed at home",
          !speaks_of(&examiner, "Settle early.") && !speaks_of(&examiner, "memo.txt"));
    check("the reserve stayed at home", !speaks_of(&examiner, "reserve_amount"));

    step("The examiner writes a report, and sends the claim back");
    examine(&examiner);
    site_send(&examiner, CLAIM, &insurer, "front.desk");

    step("The insurer unpacks");
    site_unpack(&insurer, "d.whitfield");
    check("the report came back byte for byte",
          has_document(&insurer, "IMEX/D-1", "Sprain of the medial collateral ligament; it heals.\n"));
    check("the assessment is completed", speaks_of(&insurer, "\"status\":\"completed\""));
    check("the examiner's note arrived", speaks_of(&insurer, "The report is attached."));
    check("his private note did not", !speaks_of(&insurer, "Bill separately."));
    check("the insurer's own is untouched", speaks_of(&insurer, "reserve_amount") && speaks_of(&insurer, "Settle early.")
                                                && has_document(&insurer, "ON-INS/D-2", "We expect a settlement.\n"));

    step("Both histories");
    check_history(&insurer);
    check_history(&examiner);

    site_close(&insurer);
    site_close(&examiner);
    cw_transport_free(out);
    cw_transport_free(back);
    free(insurer_folder);
    free(examiner_folder);
    printf("\nEverything arrived as it was sent, and nothing private left its site.\n");
    return 0;
}
