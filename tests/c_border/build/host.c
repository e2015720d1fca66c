/* The smallest host: it runs only if header and library fit, and one call that needs what the library links. */
#include <claimwire.h>
#include <stdio.h>

int main(void) {
    cw_buffer *identity = NULL;
    cw_buffer *recipient = NULL;
    cw_error *error = NULL;
    int32_t code = cw_age_generate(&identity, &recipient, &error);
    if (code != CW_OK) {
        fprintf(stderr, "%s\n", cw_error_message(error));
    }
    cw_error_free(error);
    cw_buffer_free(identity);
    cw_buffer_free(recipient);
    printf("%s\n", cw_version());
    return code == CW_OK && cw_abi_version() == CW_ABI_VERSION ? 0 : 1;
}
