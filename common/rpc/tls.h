/* Credentials from PEM files that are read again when they change. Private to
 * common/rpc. */
#ifndef AMCP_RPC_TLS_H
#define AMCP_RPC_TLS_H

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include "common/base/error.h"
#include "common/rpc/rpc.h"

/* Mutual TLS, or plaintext when no file is named. The files are loaded once to check
 * them: ERR_INVALID_ARGUMENT names the file and what is wrong with it. Release the
 * result with the library's function. */
enum err_code rpc_tls_server(grpc_server_credentials **out, const struct rpc_tls *tls,
                             struct err *e);
/* identity and any_host: as in struct rpc_channel_options. */
enum err_code rpc_tls_client(grpc_channel_credentials **out, const struct rpc_tls *tls,
                             const char *identity, bool any_host, struct err *e);

/* Accepts servers whose certificate holds this SPIFFE id or DNS name among its alternative names.
 * Release it with the library's function. */
grpc_tls_certificate_verifier *rpc_tls_identity_verifier(const char *wanted);
/* Whether the first certificate of a PEM text does; false when there is none. */
bool rpc_tls_has_identity(const char *pem, const char *wanted);

/* From now on the metrics show when the certificate in a file expires, as the file is at each
 * scrape. Files named before, and any beyond four, are left out. */
void rpc_tls_show_expiry(const char *cert_file);

#endif
