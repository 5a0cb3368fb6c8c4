/* Certificates for tests, made on the spot. */
#ifndef AMCP_TESTS_RPC_CERTS_H
#define AMCP_TESTS_RPC_CERTS_H

#include "common/rpc/rpc.h"

enum { CERTS_LIFE_DAYS = 1 };

struct cert_authority;

struct cert_authority *certs_ca_new(const char *name);
void certs_ca_free(struct cert_authority *ca);
/* Writes NAME.crt, NAME.key and NAME.ca into dir, each replaced at once. alt_names as
 * OpenSSL wants them: "DNS:report-svc,IP:127.0.0.1"; NULL for none. */
void certs_issue(struct cert_authority *ca, const char *dir, const char *name,
                 const char *alt_names);
/* The same for clients alone. */
void certs_issue_client(struct cert_authority *ca, const char *dir, const char *name,
                        const char *alt_names);
/* The same for another time than CERTS_LIFE_DAYS. */
void certs_issue_for(struct cert_authority *ca, const char *dir, const char *name,
                     const char *alt_names, int days);

/* Paths of a name's files; valid until the set is cleared with certs_paths_free(). */
struct cert_paths {
  char *cert, *key, *ca;
};
struct cert_paths certs_paths(const char *dir, const char *name);
void certs_paths_free(struct cert_paths *p);
struct rpc_tls certs_tls(const struct cert_paths *p);

#endif
