/* A certificate authority and a server certificate, made for one test. */
#ifndef AMCP_TESTS_HTTP_CERTS_H
#define AMCP_TESTS_HTTP_CERTS_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct certs {
  char ca_file[64];     /* PEM: the authority's certificate */
  char server_file[64]; /* PEM: the server's key and certificate */
};

/* Makes an authority and a certificate for the names ("IP:127.0.0.1,DNS:localhost") in
 * temporary files. certs_remove() removes them. */
bool certs_make(struct certs *c, const char *names);
void certs_remove(const struct certs *c);

/* A server's context with that certificate, for http/1.1. NULL when anything fails. */
SSL_CTX *certs_server_context(const struct certs *c);

#endif
