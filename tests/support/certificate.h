/* A self-signed certificate for an IP address, made on the spot: tests of TLS need no openssl command and no file that
 * expires. */
#ifndef TESTS_SUPPORT_CERTIFICATE_H
#define TESTS_SUPPORT_CERTIFICATE_H

#include <stdbool.h>

/* Writes certificate and key as PEM; good for an hour. No struct err here: OpenSSL has an ERR_STATE of its own. */
bool certificate_make(const char *address, const char *cert_path, const char *key_path);

#endif
