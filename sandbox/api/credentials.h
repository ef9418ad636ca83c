/*
 * What clients need to reach the API server: an authority, the server's certificate, tokens and kubeconfigs, made once
 * and kept (0600).
 *
 *   DIR/api/tls/{ca,server,client}.{crt,key}   DIR/api/tokens.csv   DIR/kubeconfig (user admin)   DIR/system.kubeconfig
 *
 * client is what a real API server shows to etcd and to the kubelet; it has no rights in the API.
 */
#ifndef API_CREDENTIALS_H
#define API_CREDENTIALS_H

#include "base/err.h"

#include <stdint.h>

#define API_TLS_CERT "api/tls/server.crt"
#define API_TLS_KEY "api/tls/server.key"
#define API_TLS_CA "api/tls/ca.crt"
#define API_TOKENS "api/tokens.csv"

bool api_credentials_ensure(const char *dir, const char *address, uint16_t port, struct err *err);

#endif
