/* Certificates by OpenSSL. */
#include "ga4-sim/sim/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/base/mem.h"

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S };

const char *const certificate_names[CERTIFICATE_KINDS] = {"good", "expired", "wrong_name",
                                                          "self_signed"};

struct authority {
  EVP_PKEY *key;
  X509 *certificate;
};

static bool add_extension(X509 *x, int nid, const char *value)
{
  X509V3_CTX ctx;
  X509V3_set_ctx_nodb(&ctx);
  X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  bool ok = extension != NULL && X509_add_ext(x, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return ok;
}

/* Unsigned, valid from a day and a half ago until `ends_in_s`. */
static X509 *new_certificate(EVP_PKEY *key, const char *name, X509 *issuer, long serial,
                             long ends_in_s)
{
  X509 *x = X509_new();
  if (x == NULL)
    return NULL;
  X509_NAME *subject = X509_get_subject_name(x);
  bool ok =
      X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), serial) == 1 &&
      X509_gmtime_adj(X509_getm_notBefore(x), -36L * HOUR_S) != NULL &&
      X509_gmtime_adj(X509_getm_notAfter(x), ends_in_s) != NULL && X509_set_pubkey(x, key) == 1 &&
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
                                 0) == 1 &&
      X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : subject) == 1;
  if (ok)
    return x;
  X509_free(x);
  return NULL;
}

struct authority *authority_new(void)
{
  struct authority *a = xcalloc(1, sizeof(*a));
  a->key = EVP_EC_gen("P-256");
  if (a->key != NULL)
    a->certificate = new_certificate(a->key, "ga4-sim authority", NULL, 1, 30L * DAY_S);
  if (a->certificate != NULL &&
      add_extension(a->certificate, NID_basic_constraints, "critical,CA:TRUE") &&
      add_extension(a->certificate, NID_key_usage, "critical,keyCertSign") &&
      X509_sign(a->certificate, a->key, EVP_sha256()) > 0)
    return a;
  authority_free(a);
  return NULL;
}

void authority_free(struct authority *a)
{
  if (a == NULL)
    return;
  X509_free(a->certificate);
  EVP_PKEY_free(a->key);
  free(a);
}

/* Appends what was written to a BIO, which is freed. */
static bool take(struct buf *out, BIO *bio, bool ok)
{
  char *data = NULL;
  long len = BIO_get_mem_data(bio, &data);
  ok = ok && len > 0 && buf_append(out, data, (size_t)len);
  BIO_free(bio);
  return ok;
}

static bool put_certificate(struct buf *out, X509 *x)
{
  BIO *bio = BIO_new(BIO_s_mem());
  return bio != NULL && take(out, bio, PEM_write_bio_X509(bio, x) == 1);
}

static bool put_key(struct buf *out, EVP_PKEY *key)
{
  BIO *bio = BIO_new(BIO_s_mem());
  return bio != NULL &&
         take(out, bio, PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
}

bool authority_put(const struct authority *a, struct buf *pem)
{
  return put_certificate(pem, a->certificate);
}

bool authority_issue(const struct authority *a, enum certificate_kind kind, struct buf *certificate,
                     struct buf *key)
{
  bool other = kind == CERTIFICATE_WRONG_NAME, own = kind == CERTIFICATE_SELF_SIGNED;
  EVP_PKEY *pair = EVP_EC_gen("P-256");
  X509 *x = pair == NULL ? NULL
                         : new_certificate(pair, other ? "elsewhere.example" : "localhost",
                                           own ? NULL : a->certificate, 2 + (long)kind,
                                           kind == CERTIFICATE_EXPIRED ? -DAY_S : DAY_S);
  bool ok = x != NULL &&
            add_extension(x, NID_subject_alt_name,
                          other ? "DNS:elsewhere.example" : "DNS:localhost,IP:127.0.0.1") &&
            X509_sign(x, own ? pair : a->key, EVP_sha256()) > 0 &&
            put_certificate(certificate, x) && put_key(key, pair);
  X509_free(x);
  EVP_PKEY_free(pair);
  return ok;
}
