/* Certificates for tests. */
#include "tests/unit/auth/support/cert_maker.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "common/base/mem.h"

char *cert_path(const char *dir, const char *name, const char *ext)
{
  return xasprintf("%s/%s.%s", dir, name, ext);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
  X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  X509_add_ext(cert, ext, -1);
  X509_EXTENSION_free(ext);
}

/* One DNS name of any bytes, which no configuration text can hold. */
static void add_raw_name(X509 *cert, const void *name, size_t len)
{
  GENERAL_NAMES *names = GENERAL_NAMES_new();
  GENERAL_NAME *one = GENERAL_NAME_new();
  ASN1_IA5STRING *text = ASN1_IA5STRING_new();
  ASN1_STRING_set(text, name, (int)len);
  GENERAL_NAME_set0_value(one, GEN_DNS, text);
  sk_GENERAL_NAME_push(names, one);
  X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE);
  GENERAL_NAMES_free(names);
}

static X509 *make(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, long serial)
{
  X509 *cert = X509_new();
  X509_set_version(cert, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
  X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
  X509_set_pubkey(cert, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                             (const unsigned char *)name, -1, -1, 0);
  X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
  if (issuer == NULL) {
    add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    AUTO_FREE char *names = xasprintf("DNS:%s,DNS:localhost,IP:127.0.0.1", name);
    add_extension(cert, issuer, NID_subject_alt_name, names);
  }
  X509_sign(cert, issuer_key != NULL ? issuer_key : key, EVP_sha256());
  return cert;
}

static void write_cert(const char *dir, const char *name, X509 *cert, EVP_PKEY *key)
{
  AUTO_FREE char *pem = cert_path(dir, name, "pem"), *key_path = cert_path(dir, name, "key");
  FILE *f = fopen(pem, "w");
  PEM_write_X509(f, cert);
  fclose(f);
  f = fopen(key_path, "w");
  PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
  fclose(f);
}

void cert_make(const char *dir, const char *const *names, int n)
{
  EVP_PKEY *ca_key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
  X509 *ca = make("Test authority", ca_key, NULL, NULL, 1);
  write_cert(dir, "ca", ca, ca_key);
  for (int i = 0; i < n; i++) {
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *cert = make(names[i], key, ca, ca_key, i + 2);
    write_cert(dir, names[i], cert, key);
    X509_free(cert);
    EVP_PKEY_free(key);
  }
  X509_free(ca);
  EVP_PKEY_free(ca_key);
}

void cert_make_raw(const char *dir, const char *file, const void *name, size_t len)
{
  AUTO_FREE char *ca_pem = cert_path(dir, "ca", "pem"), *ca_path = cert_path(dir, "ca", "key");
  FILE *f = fopen(ca_pem, "r");
  X509 *ca = PEM_read_X509(f, NULL, NULL, NULL);
  fclose(f);
  f = fopen(ca_path, "r");
  EVP_PKEY *ca_key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
  fclose(f);
  EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
  X509 *cert = make(file, key, ca, ca_key, 99);
  add_raw_name(cert, name, len);
  X509_sign(cert, ca_key, EVP_sha256());
  write_cert(dir, file, cert, key);
  X509_free(cert);
  EVP_PKEY_free(key);
  X509_free(ca);
  EVP_PKEY_free(ca_key);
}
