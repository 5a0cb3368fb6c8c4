/* A certificate authority and a server certificate, made for one test. */
#ifndef AMCP_TESTS_HTTP_CERTS_H
#define AMCP_TESTS_HTTP_CERTS_H

#include <openssl/ssl.h>

/* Makes a CA, writes its certificate to ca_file (PEM), signs a certificate for the
 * names ("IP:127.0.0.1,DNS:localhost") with it and returns a server context that uses it and speaks
 * http/1.1. NULL when anything fails. */
SSL_CTX *certs_server_context(const char *ca_file, const char *names);

#endif
