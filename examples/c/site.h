/*
 * One site of the exchange: a store of plain files, keys, one partner, and the packages it was told of.
 */
#ifndef SITE_H
#define SITE_H

#include "file_store.h"

typedef struct {
    const char *id;
    const char *name;
    const char *folder;
    file_store *store;
    cw_case_system *cases;
    cw_signing_key *signs;
    /* What opens what comes in, and what partners seal with for it. */
    cw_buffer *identity;
    cw_buffer *recipient;
    cw_exchange *exchange;
    /* The last package it was told of; "" when there is none. */
    char new_package[CW_PACKAGE_ID_SIZE];
    pthread_mutex_t telling;
} site;

/* What a site has before it knows anybody: its store and its keys. */
static void site_prepare(site *self, const char *id, const char *name, const char *folder) {
    memset(self, 0, sizeof *self);
    self->id = id;
    self->name = name;
    self->folder = folder;
    pthread_mutex_init(&self->telling, NULL);
    self->store = store_open(folder, &self->cases);
    char *key_id = joined(id, "/2026", "");
    MUST(cw_signing_key_generate(CW_Z(key_id), &self->signs, &fault));
    free(key_id);
    MUST(cw_age_generate(&self->identity, &self->recipient, &fault));
}

/* A cw_secret_fn: this host's secrets. */
static int32_t site_secret(void *user_data, const char *name, size_t name_len, cw_secret *secret, cw_failure *failure) {
    const site *self = user_data;
    if (name_len != 8 || memcmp(name, "identity", 8) != 0) {
        return failed(failure, CW_ERR_INVALID_SETTINGS, "this host keeps one secret, \"identity\"");
    }
    return cw_secret_set(secret, CW_Z(text(self->identity)), NULL);
}

/* A cw_event_fn: New Package. */
static void site_told(void *user_data, const cw_event *event) {
    site *self = user_data;
    if (cw_event_kind(event) == CW_EVENT_NEW_PACKAGE) {
        pthread_mutex_lock(&self->telling);
        snprintf(self->new_package, sizeof self->new_package, "%s", cw_event_package(event));
        pthread_mutex_unlock(&self->telling);
    }
}

/* Opens the site's exchange with one partner, reached by `transport`, or only received from when that is NULL. */
static void site_open(site *self, const site *partner, const cw_transport *transport) {
    char settings[2048];
    cw_buffer *verifying = NULL;
    cw_partner *settled = NULL;
    cw_exchange_settings *exchange = NULL;
    cw_secrets secrets = {0};
    secrets.struct_size = sizeof secrets;
    secrets.secret = site_secret;
    secrets.user_data = self;
    MUST(cw_signing_key_verifying_text(partner->signs, &verifying, &fault));
    snprintf(settings, sizeof settings,
             "{\"site\":\"%s\",\"number\":1,\"alias\":\"%s\",\"keys\":{"
             "\"outgoing\":{\"version\":1,\"suite\":\"age\",\"recipients\":[\"%s\"]},"
             "\"incoming\":[{\"version\":1,\"suite\":\"age\",\"secret\":{\"host\":\"identity\"}}],"
             "\"verifying\":[{\"id\":\"%s\",\"public\":\"%s\"}]}}",
             partner->id, partner->name, text(partner->recipient), cw_signing_key_id(partner->signs), text(verifying));
    cw_buffer_free(verifying);
    MUST(cw_partner_from_json(CW_Z(settings), &secrets, transport, &settled, &fault));
    char *folder = joined(self->folder, "/exchange", "");
    MUST(cw_exchange_settings_new(CW_Z(self->id), CW_Z(folder), self->signs, self->cases, &exchange, &fault));
    MUST(cw_exchange_settings_add_partner(exchange, settled, &fault));
    MUST(cw_exchange_settings_set_base_path(exchange, CW_STR("/claimwire"), &fault));
    MUST(cw_exchange_settings_on_event(exchange, site_told, self, NULL, &fault));
    MUST(cw_exchange_open(exchange, &self->exchange, &fault));
    free(folder);
    cw_partner_free(settled);
}

/* Exports a claim for the partner and posts it there; it is delivered when its signed receipt is here. */
static void site_send(const site *self, const char *claim, const site *partner, const char *by) {
    char package[CW_PACKAGE_ID_SIZE];
    int32_t state = 0;
    cw_export_options how = {0};
    how.struct_size = sizeof how;
    how.by = by;
    how.by_len = strlen(by);
    MUST(cw_exchange_export(self->exchange, CW_Z(claim), CW_Z(partner->id), &how, NULL, package, NULL, &fault));
    printf("  package %s is sealed\n", package);
    MUST(cw_exchange_send(self->exchange, CW_Z(package), NULL, &state, NULL, &fault));
    check("the partner holds it and signed a receipt", state == CW_OUTGOING_DELIVERED);
}

/* Unpacks the package that the site was told of. */
static void site_unpack(site *self, const char *by) {
    char package[CW_PACKAGE_ID_SIZE];
    int32_t state = 0;
    pthread_mutex_lock(&self->telling);
    memcpy(package, self->new_package, sizeof package);
    self->new_package[0] = '\0';
    pthread_mutex_unlock(&self->telling);
    check("New Package: the site was told", package[0] != '\0');
    MUST(cw_exchange_unpack(self->exchange, CW_Z(package), CW_Z(by), NULL, &state, NULL, NULL, &fault));
    check("it is unpacked", state == CW_INCOMING_UNPACKED);
}

/* Ends what site_prepare and site_open began. */
static void site_close(site *self) {
    cw_exchange_free(self->exchange);
    cw_buffer_free(self->identity);
    cw_buffer_free(self->recipient);
    cw_signing_key_free(self->signs);
    cw_case_system_free(self->cases);
    pthread_mutex_destroy(&self->telling);
}

/* The folder to work in: the first argument, or a new one. */
static const char *site_folder(int argc, char **argv, char *new_folder) {
    const char *folder = argc > 1 ? argv[1] : mkdtemp(new_folder);
    check("there is a folder to work in", folder != NULL && (argc < 2 || mkdir(folder, 0700) == 0 || errno == EEXIST));
    printf("  %s\n", folder);
    return folder;
}

#endif
