/* A certificate authority and a server certificate, made for one test. */
#include "tests/unit/http/certs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static X509 *make_certificate(EVP_PKEY *key, const char *name, X509 *issuer, long serial)
{
  X509 *x = X509_new();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3600);
  X509_set_pubkey(x, key);
  X509_NAME *subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
  X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : subject);
  return x;
}

static void add_extension(X509 *x, int nid, const char *value)
{
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
  X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  X509_add_ext(x, ext, -1);
  X509_EXTENSION_free(ext);
}

static int choose_http1(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                        const unsigned char *in, unsigned in_len, void *arg)
{
  static const unsigned char http1[] = "\x08http/1.1";
  (void)ssl, (void)arg;
  unsigned char *chosen = NULL;
  if (SSL_select_next_proto(&chosen, out_len, http1, sizeof(http1) - 1, in, in_len) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/* Writes a key (unless NULL) and a certificate to a new temporary file. */
static bool write_file(char *path, size_t size, EVP_PKEY *key, X509 *x)
{
  snprintf(path, size, "/tmp/test_http_XXXXXX");
  int fd = mkstemp(path);
  FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (f == NULL)
    return false;
  bool ok = key == NULL || PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
  ok = ok && PEM_write_X509(f, x) == 1;
  return fclose(f) == 0 && ok;
}

bool certs_make(struct certs *c, const char *names)
{
  EVP_PKEY *ca_key = EVP_EC_gen("P-256");
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *ca = make_certificate(ca_key, "Test CA", NULL, 1);
  add_extension(ca, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(ca, NID_key_usage, "critical,keyCertSign");
  X509_sign(ca, ca_key, EVP_sha256());
  X509 *x = make_certificate(key, "Test server", ca, 2);
  add_extension(x, NID_subject_alt_name, names);
  X509_sign(x, ca_key, EVP_sha256());
  bool ok = write_file(c->ca_file, sizeof(c->ca_file), NULL, ca) &&
            write_file(c->server_file, sizeof(c->server_file), key, x);
  X509_free(x);
  X509_free(ca);
  EVP_PKEY_free(key);
  EVP_PKEY_free(ca_key);
  return ok;
}

void certs_remove(const struct certs *c)
{
  unlink(c->ca_file);
  unlink(c->server_file);
}

SSL_CTX *certs_server_context(const struct certs *c)
{
  SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_alpn_select_cb(ctx, choose_http1, NULL);
  if (SSL_CTX_use_certificate_chain_file(ctx, c->server_file) == 1 &&
      SSL_CTX_use_PrivateKey_file(ctx, c->server_file, SSL_FILETYPE_PEM) == 1)
    return ctx;
  SSL_CTX_free(ctx);
  return NULL;
}
