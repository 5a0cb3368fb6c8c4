/* Certificates for tests: a CA and what it issues, P-256, valid for a day. */
#include "tests/unit/rpc/certs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

struct cert_authority {
  EVP_PKEY *key;
  X509 *cert;
};

static void must(int ok, const char *what)
{
  if (ok > 0)
    return;
  fprintf(stderr, "%s failed\n", what);
  abort();
}

static X509 *make_cert(const char *name, EVP_PKEY *key)
{
  static atomic_long serial = 1;
  X509 *x = X509_new();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), atomic_fetch_add(&serial, 1));
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), CERTS_LIFE_DAYS * 24 * 3600);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             (const unsigned char *)name, -1, -1, 0);
  must(X509_set_pubkey(x, key), "X509_set_pubkey");
  return x;
}

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
  X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  must(e != NULL && X509_add_ext(x, e, -1), "X509_add_ext");
  X509_EXTENSION_free(e);
}

struct cert_authority *certs_ca_new(const char *name)
{
  struct cert_authority *ca = xcalloc(1, sizeof(*ca));
  ca->key = EVP_EC_gen("P-256");
  ca->cert = make_cert(name, ca->key);
  X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert));
  add_extension(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
  must(X509_sign(ca->cert, ca->key, EVP_sha256()), "X509_sign");
  return ca;
}

void certs_ca_free(struct cert_authority *ca)
{
  X509_free(ca->cert);
  EVP_PKEY_free(ca->key);
  free(ca);
}

struct cert_paths certs_paths(const char *dir, const char *name)
{
  return (struct cert_paths){xasprintf("%s/%s.crt", dir, name), xasprintf("%s/%s.key", dir, name),
                             xasprintf("%s/%s.ca", dir, name)};
}

void certs_paths_free(struct cert_paths *p)
{
  free(p->cert);
  free(p->key);
  free(p->ca);
}

struct rpc_tls certs_tls(const struct cert_paths *p)
{
  return (struct rpc_tls){.cert_file = p->cert, .key_file = p->key, .ca_file = p->ca};
}

/* Writes a certificate, or a key when cert is NULL, beside the path and moves it there. */
static void write_pem(const char *path, X509 *cert, EVP_PKEY *key)
{
  AUTO_FREE char *temporary = xasprintf("%s.new", path);
  FILE *f = fopen(temporary, "w");
  must(f != NULL, temporary);
  if (cert != NULL)
    must(PEM_write_X509(f, cert), path);
  else
    must(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), path);
  must(fclose(f) == 0 && rename(temporary, path) == 0, path);
}

static void issue(struct cert_authority *ca, const char *dir, const char *name,
                  const char *alt_names, int days, const char *purposes)
{
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *x = make_cert(name, key);
  X509_gmtime_adj(X509_getm_notAfter(x), days * 24L * 3600);
  X509_set_issuer_name(x, X509_get_subject_name(ca->cert));
  add_extension(x, ca->cert, NID_ext_key_usage, purposes);
  if (alt_names != NULL)
    add_extension(x, ca->cert, NID_subject_alt_name, alt_names);
  must(X509_sign(x, ca->key, EVP_sha256()), "X509_sign");
  struct cert_paths p = certs_paths(dir, name);
  write_pem(p.key, NULL, key);
  write_pem(p.cert, x, NULL);
  write_pem(p.ca, ca->cert, NULL);
  certs_paths_free(&p);
  X509_free(x);
  EVP_PKEY_free(key);
}

void certs_issue(struct cert_authority *ca, const char *dir, const char *name,
                 const char *alt_names)
{
  certs_issue_for(ca, dir, name, alt_names, CERTS_LIFE_DAYS);
}

void certs_issue_client(struct cert_authority *ca, const char *dir, const char *name,
                        const char *alt_names)
{
  issue(ca, dir, name, alt_names, CERTS_LIFE_DAYS, "clientAuth");
}

void certs_issue_for(struct cert_authority *ca, const char *dir, const char *name,
                     const char *alt_names, int days)
{
  issue(ca, dir, name, alt_names, days, "serverAuth,clientAuth");
}
