/* Makes an authority and certificates for tests of mutual TLS. */
#ifndef AMCP_TESTS_AUTH_CERT_MAKER_H
#define AMCP_TESTS_AUTH_CERT_MAKER_H

#include <stddef.h>

/* Writes ca.pem, and NAME.pem and NAME.key for each name, into dir. Every certificate has
 * DNS:NAME as its first alternative name, then DNS:localhost and IP:127.0.0.1. */
void cert_make(const char *dir, const char *const *names, int n);
/* One more of that authority, FILE.pem and FILE.key, whose only alternative name is DNS of these
 * bytes. Its common name is FILE. */
void cert_make_raw(const char *dir, const char *file, const void *name, size_t len);
/* "dir/name.ext" on the heap. */
char *cert_path(const char *dir, const char *name, const char *ext);

#endif
