/*
 * What clients need to reach the API server: an authority, the server's certificate, tokens and kubeconfigs, made once
 * and kept (0600).
 *
 *   DIR/api/tls/{ca,server}.{crt,key}   DIR/api/tokens.csv   DIR/kubeconfig (user admin)   DIR/system.kubeconfig
 */
#ifndef API_CREDENTIALS_H
#define API_CREDENTIALS_H

#include "base/err.h"

#include <stdint.h>

#define API_TLS_CERT "api/tls/server.crt"
#define API_TLS_KEY "api/tls/server.key"
#define API_TOKENS "api/tokens.csv"

bool api_credentials_ensure(const char *dir, const char *address, uint16_t port, struct err *err);

#endif
