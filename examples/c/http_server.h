/*
 * A small web server that feeds an exchange: HTTP/1.1 over POSIX sockets, as RFC 9112 says, one request on each connection
 * and one connection at a time. A real host has such a server already, with TLS; what it does for the exchange is
 * `serve_request`.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "story.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_HEAD 32768
#define MAX_FIELDS 100
#define IDLE_SECONDS 5
#define DRAIN_SECONDS 2

typedef struct {
    const cw_exchange *exchange;
    int listening;
    int port;
    pthread_t thread;
} http_server;

/* A request's head, and what of the body came in with it. The fields point into `bytes`. */
typedef struct {
    char bytes[MAX_HEAD + 1];
    size_t len;
    size_t head_len;
    const char *method, *path;
    cw_header fields[MAX_FIELDS];
    size_t field_count;
    uint64_t body_len;
    int has_length;
    int awaits_continue;
} http_request;

static int send_all(int connection, const void *data, size_t len) {
    const char *at = data;
    while (len > 0) {
        ssize_t sent = send(connection, at, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return 0;
        }
        at += sent;
        len -= (size_t)sent;
    }
    return 1;
}

/* Reads until the empty line that ends the head. 0 when all is well, else the status to answer with; -1 for none. */
static int read_head(int connection, http_request *request) {
    request->len = 0;
    for (;;) {
        request->bytes[request->len] = '\0';
        char *end = strstr(request->bytes, "\r\n\r\n");
        if (end != NULL) {
            request->head_len = (size_t)(end - request->bytes) + 4;
            return 0;
        }
        if (strlen(request->bytes) != request->len) {
            return 400;
        }
        if (request->len == MAX_HEAD) {
            return 431;
        }
        ssize_t got = recv(connection, request->bytes + request->len, MAX_HEAD - request->len, 0);
        if (got <= 0) {
            return request->len == 0 ? -1 : 408;
        }
        request->len += (size_t)got;
    }
}

/* The body's length, when the field says one: digits and nothing else. */
static int parse_length(const char *value, uint64_t *length) {
    *length = 0;
    if (*value == '\0' || strlen(value) > 18) {
        return 0;
    }
    for (; *value != '\0'; value++) {
        if (*value < '0' || *value > '9') {
            return 0;
        }
        *length = *length * 10 + (uint64_t)(*value - '0');
    }
    return 1;
}

/* One line "name: value" of the head. 0 when all is well, else the status to answer with. */
static int parse_field(http_request *request, char *line) {
    char *colon = strchr(line, ':');
    /* No name, white space around it (RFC 9112 section 5.1), or a folded line (section 5.2). */
    if (colon == NULL || colon == line || strcspn(line, " \t") < (size_t)(colon - line)) {
        return 400;
    }
    if (request->field_count == MAX_FIELDS) {
        return 431;
    }
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t"), *end = value + strlen(value);
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        *--end = '\0';
    }
    cw_header *field = &request->fields[request->field_count++];
    field->name = line;
    field->name_len = strlen(line);
    field->value = value;
    field->value_len = strlen(value);
    if (strcasecmp(line, "content-length") == 0) {
        if (request->has_length || !parse_length(value, &request->body_len)) {
            return 400;
        }
        request->has_length = 1;
    } else if (strcasecmp(line, "transfer-encoding") == 0) {
        /* This server knows no chunks, and so never has to guess where a body ends. */
        return 411;
    } else if (strcasecmp(line, "expect") == 0) {
        if (strcasecmp(value, "100-continue") != 0) {
            return 417;
        }
        request->awaits_continue = 1;
    }
    return 0;
}

/* Takes the head apart. 0 when all is well, else the status to answer with. */
static int parse_head(http_request *request) {
    char *line = request->bytes, *end = strstr(line, "\r\n");
    request->bytes[request->head_len - 2] = '\0';
    *end = '\0';
    char *path = strchr(line, ' '), *version = path == NULL ? NULL : strchr(path + 1, ' ');
    if (version == NULL || strcmp(version, " HTTP/1.1") != 0) {
        return version != NULL && strncmp(version, " HTTP/", 6) == 0 ? 505 : 400;
    }
    *path = *version = '\0';
    request->method = line;
    request->path = path + 1;
    for (line = end + 2; *line != '\0'; line = end + 2) {
        end = strstr(line, "\r\n");
        if (end == NULL) {
            return 400;
        }
        *end = '\0';
        int status = parse_field(request, line);
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

/* Sends the answer; the library's header fields and body as they are, since they are signed. */
static void send_response(int connection, const cw_response *response) {
    char line[160];
    snprintf(line, sizeof line, "HTTP/1.1 %d Answer\r\nContent-Length: %lu\r\nConnection: close\r\n",
             (int)cw_response_status(response), (unsigned long)cw_response_body_len(response));
    int sent = send_all(connection, line, strlen(line));
    for (size_t i = 0; sent && i < cw_response_header_count(response); i++) {
        const char *name = cw_response_header_name(response, i), *value = cw_response_header_value(response, i);
        sent = send_all(connection, name, strlen(name)) && send_all(connection, ": ", 2)
               && send_all(connection, value, strlen(value)) && send_all(connection, "\r\n", 2);
    }
    if (sent && send_all(connection, "\r\n", 2)) {
        send_all(connection, cw_response_body(response), cw_response_body_len(response));
    }
}

/* Reads and drops what still comes, for a short time: a connection closed over unread bytes is reset, and the sender
 * might lose the answer. */
static void drain(int connection) {
    char dropped[4096];
    struct timeval now, until;
    gettimeofday(&until, NULL);
    until.tv_sec += DRAIN_SECONDS;
    shutdown(connection, SHUT_WR);
    do {
        gettimeofday(&now, NULL);
    } while (timercmp(&now, &until, <) && recv(connection, dropped, sizeof dropped, 0) > 0);
}

/* Hands the body over as it comes. 0 when the connection broke inside it. */
static int feed_body(int connection, const http_request *request, cw_incoming_request *incoming, int *begun) {
    uint64_t left = request->body_len;
    size_t early = request->len - request->head_len;
    int32_t wanted = cw_incoming_request_wants_body(incoming);
    char piece[16384];
    if (early > left) {
        early = (size_t)left;
    }
    *begun = !request->awaits_continue || wanted;
    if (wanted && request->awaits_continue && early == 0 && left > 0
        && !send_all(connection, "HTTP/1.1 100 Continue\r\n\r\n", 25)) {
        return 0;
    }
    if (wanted && early > 0) {
        const uint8_t *data = (const uint8_t *)request->bytes + request->head_len;
        cw_incoming_request_write(incoming, data, early, &wanted, NULL);
        left -= early;
    }
    while (wanted && left > 0) {
        ssize_t got = recv(connection, piece, left < sizeof piece ? (size_t)left : sizeof piece, 0);
        if (got <= 0) {
            return 0;
        }
        left -= (uint64_t)got;
        cw_incoming_request_write(incoming, (const uint8_t *)piece, (size_t)got, &wanted, NULL);
    }
    return 1;
}

/* What the host's server does for the exchange. */
static void serve_request(const cw_exchange *exchange, int connection, const http_request *request,
                          const struct sockaddr_in *from) {
    char address[INET_ADDRSTRLEN + 8], host[INET_ADDRSTRLEN];
    cw_incoming_request *incoming = NULL;
    cw_response *response = NULL;
    cw_peer peer = {0};
    int begun = 0;
    peer.struct_size = sizeof peer;
    if (inet_ntop(AF_INET, &from->sin_addr, host, sizeof host) != NULL) {
        snprintf(address, sizeof address, "%s:%u", host, (unsigned)ntohs(from->sin_port));
        peer.address = address;
        peer.address_len = strlen(address);
    }
    if (cw_incoming_request_new(exchange, CW_Z(request->method), CW_Z(request->path), request->fields,
                                request->field_count, &peer, &incoming, NULL) != CW_OK) {
        return;
    }
    if (!feed_body(connection, request, incoming, &begun)) {
        cw_incoming_request_free(incoming);
        return;
    }
    if (cw_incoming_request_finish(incoming, &response, NULL) == CW_OK) {
        send_response(connection, response);
        cw_response_free(response);
        if (begun) {
            drain(connection);
        }
    }
}

static void serve_connection(const http_server *server, int connection, const struct sockaddr_in *from) {
    static http_request request;
    struct timeval idle = {IDLE_SECONDS, 0};
    memset(&request, 0, sizeof request);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &idle, sizeof idle);
    int status = read_head(connection, &request);
    if (status == 0) {
        status = parse_head(&request);
    }
    if (status == 0) {
        serve_request(server->exchange, connection, &request, from);
    } else if (status > 0) {
        char answer[96];
        snprintf(answer, sizeof answer, "HTTP/1.1 %d Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
        send_all(connection, answer, strlen(answer));
        drain(connection);
    }
    close(connection);
}

static void *serve(void *user_data) {
    const http_server *server = user_data;
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int connection;
    while ((connection = accept(server->listening, (struct sockaddr *)&from, &len)) >= 0) {
        serve_connection(server, connection, &from);
        len = sizeof from;
    }
    return NULL;
}

/* Listens on a free port of this machine alone, and serves on a thread. */
static void server_start(http_server *server, const cw_exchange *exchange) {
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->exchange = exchange;
    server->listening = socket(AF_INET, SOCK_STREAM, 0);
    check("the server listens", server->listening >= 0
                                    && bind(server->listening, (struct sockaddr *)&address, sizeof address) == 0
                                    && listen(server->listening, 16) == 0
                                    && getsockname(server->listening, (struct sockaddr *)&address, &len) == 0);
    server->port = ntohs(address.sin_port);
    check("and serves", pthread_create(&server->thread, NULL, serve, server) == 0);
}

static void server_stop(http_server *server) {
    shutdown(server->listening, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listening);
}

#endif
