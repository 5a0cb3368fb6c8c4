/* Whether a server's certificate holds the one name that it must have.
 *
 * The library has checked the chain, its dates and its purpose (a certificate for clients alone is
 * not good for a server) when it asks. It hands names over as C strings, of which one that holds a
 * NUL would pass for a shorter one; so they are read from the certificate itself. */
#include <grpc/support/alloc.h>
#include <grpc/support/string_util.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/rpc/tls.h"

struct identity_verifier {
  grpc_tls_certificate_verifier_external external;
  char wanted[]; /* SPIFFE id or DNS name */
};

static bool is_wanted(const GENERAL_NAME *name, const char *wanted)
{
  bool uri = strstr(wanted, "://") != NULL;
  if (name->type != (uri ? GEN_URI : GEN_DNS))
    return false;
  const ASN1_IA5STRING *text = name->d.ia5;
  size_t len = (size_t)ASN1_STRING_length(text);
  const char *value = (const char *)ASN1_STRING_get0_data(text);
  if (len != strlen(wanted) || memchr(value, '\0', len) != NULL)
    return false;
  AUTO_FREE char *copy = xstrndup(value, len);
  return uri ? strcmp(copy, wanted) == 0 : ascii_case_equal(copy, wanted);
}

static bool names_wanted(X509 *cert, const char *wanted)
{
  bool found = false;
  GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
    found = is_wanted(sk_GENERAL_NAME_value(names, i), wanted);
  GENERAL_NAMES_free(names);
  return found;
}

bool rpc_tls_has_identity(const char *pem, const char *wanted)
{
  BIO *in = pem != NULL ? BIO_new_mem_buf(pem, -1) : NULL;
  X509 *cert = in != NULL ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
  bool has = cert != NULL && names_wanted(cert, wanted);
  X509_free(cert);
  BIO_free(in);
  return has;
}

static int verify(void *user, grpc_tls_custom_verification_check_request *request,
                  grpc_tls_on_custom_verification_check_done_cb callback, void *callback_arg,
                  grpc_status_code *status, char **details)
{
  const struct identity_verifier *v = user;
  (void)callback, (void)callback_arg;
  *status = GRPC_STATUS_OK;
  if (!rpc_tls_has_identity(request->peer_info.peer_cert, v->wanted)) {
    AUTO_FREE char *text = xasprintf("the server's certificate is not %s's", v->wanted);
    *status = GRPC_STATUS_UNAUTHENTICATED;
    *details = gpr_strdup(text);
  }
  return 1; /* decided */
}

static void cancel(void *user, grpc_tls_custom_verification_check_request *request)
{
  (void)user, (void)request; /* nothing is ever under way */
}

static void destruct(void *user)
{
  free(user);
}

grpc_tls_certificate_verifier *rpc_tls_identity_verifier(const char *wanted)
{
  size_t size = strlen(wanted) + 1;
  struct identity_verifier *v = xcalloc(1, sizeof(*v) + size);
  memcpy(v->wanted, wanted, size);
  v->external = (grpc_tls_certificate_verifier_external){v, verify, cancel, destruct};
  return grpc_tls_certificate_verifier_external_create(&v->external);
}
