/*
 * A host with a web server of its own: it takes requests off the socket and feeds them to the exchange piece by piece. An
 * insurer's site in the same program posts a claim to it over loopback HTTP.
 *
 *     cc -std=c99 receiving_server.c $(pkg-config --cflags --libs claimwire) -lpthread -o receiving_server
 *     ./receiving_server [FOLDER]
 *
 * It checks its own result and exits with 1 when anything differs.
 */
#define _POSIX_C_SOURCE 200809L
#define _DEFAULT_SOURCE

#include "http_server.h"
#include "site.h"

#define CLAIM "ON-INS/C-2"

/* Sends bytes as somebody who is no partner, and gives what comes back, up to the end of the connection. */
static const char *raw_exchange(int port, const char *bytes, size_t len) {
    static char answer[8192];
    struct sockaddr_in address;
    size_t got = 0;
    ssize_t more = 0;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0 || !send_all(connection, bytes, len)) {
        return "";
    }
    while (got < sizeof answer - 1 && (more = recv(connection, answer + got, sizeof answer - 1 - got, 0)) > 0) {
        got += (size_t)more;
    }
    close(connection);
    answer[got] = '\0';
    return answer;
}

static int answers(int port, const char *request, const char *begins) {
    return strncmp(raw_exchange(port, request, strlen(request)), begins, strlen(begins)) == 0;
}

/* What the network brings that is not from a partner. */
static void check_strangers(int port) {
    check("what is no HTTP is refused", answers(port, "hello\r\n\r\n", "HTTP/1.1 400"));
    check("a length that is none is refused",
          answers(port, "POST /claimwire/packages HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400"));
    check("two lengths are refused",
          answers(port, "POST /claimwire/packages HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                  "HTTP/1.1 400"));
    check("chunks are refused",
          answers(port, "POST /claimwire/packages HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 411"));
    check("another address is not found", answers(port, "GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404"));
    /* A stranger who waits for a 100 Continue is answered at once, and never told to send. */
    check("a stranger is refused before the body",
          answers(port,
                  "POST /claimwire/packages HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
                  "HTTP/1.1 4"));
    char *large = malloc(MAX_HEAD + 64);
    if (large == NULL) {
        exit(1);
    }
    memset(large, 'x', MAX_HEAD + 64);
    memcpy(large, "GET / HTTP/1.1\r\n", 16);
    check("a head without end is refused", strncmp(raw_exchange(port, large, MAX_HEAD + 64), "HTTP/1.1 431", 12) == 0);
    free(large);
}

/* A claim with a document that takes many pieces. */
static void open_claim(const site *insurer, char *document) {
    char *members = store_document(insurer->store, document);
    char *json = joined("{\"claim\":{\"id\":\"" CLAIM "\",\"claim_number\":\"CLM-2026-0200\"},\"notes\":[{\"id\":\"ON-INS/N-1\","
                        "\"body\":\"The whole file is attached.\"}],\"documents\":[{\"id\":\"ON-INS/D-1\",\"name\":\"file.txt\",",
                        members, "}]}");
    check("the claim is filed", store_claim(insurer->store, CLAIM, json));
    free(members);
    free(json);
}

/* Text that does not compress to nothing. */
static char *long_document(size_t len) {
    char *document = malloc(len + 1);
    uint32_t state = 2026;
    if (document == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        document[i] = (char)('!' + (state >> 24) % 90);
    }
    document[len] = '\0';
    return document;
}

int main(int argc, char **argv) {
    char new_folder[] = "/tmp/receiving_server-XXXXXX", url[64];
    site insurer, examiner;
    http_server server;
    cw_transport *transport = NULL;
    cw_https_options https = {0};

    step("The examiner's host listens");
    const char *folder = site_folder(argc, argv, new_folder);
    char *insurer_folder = joined(folder, "/insurer", ""), *examiner_folder = joined(folder, "/examiner", "");
    site_prepare(&insurer, "ON-INS", "Northern Mutual Insurance", insurer_folder);
    site_prepare(&examiner, "IMEX", "Independent Medical Examiners", examiner_folder);
    site_open(&examiner, &insurer, NULL);
    server_start(&server, examiner.exchange);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/claimwire", server.port);
    printf("  %s\n", url);

    step("Strangers come by");
    check_strangers(server.port);

    step("The insurer posts a claim");
    https.struct_size = sizeof https;
    https.url = url;
    https.url_len = strlen(url);
    MUST(cw_transport_https(&https, &transport, &fault));
    site_open(&insurer, &examiner, transport);
    char *document = long_document(400000);
    open_claim(&insurer, document);
    site_send(&insurer, CLAIM, &examiner, "d.whitfield");

    step("The examiner unpacks");
    site_unpack(&examiner, "front.desk");
    char *file = load_claim(examiner.store, CLAIM), *path = document_path(examiner.store, file, "ON-INS/D-1");
    char *there = path == NULL ? NULL : read_text(path);
    check("the document arrived byte for byte", there != NULL && strcmp(there, document) == 0);
    MUST(cw_exchange_verify_history(examiner.exchange, NULL, &fault));

    server_stop(&server);
    site_close(&insurer);
    site_close(&examiner);
    cw_transport_free(transport);
    free(document);
    free(file);
    free(path);
    free(there);
    free(insurer_folder);
    free(examiner_folder);
    printf("\nThe claim came in through the host's own server, and nothing else did.\n");
    return 0;
}
