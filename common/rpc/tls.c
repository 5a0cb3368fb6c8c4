/* Mutual TLS from files: checked at the start, watched from then on.
 *
 * Of the library's credentials only those with a certificate provider reload on the
 * client side too. The provider keeps the old files when new ones do not fit together,
 * but says nothing at the start about files that never did: hence our own check. */
#include "common/rpc/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"

enum { REFRESH_S = 2 };

/* What the library said last, for people who search for its words. */
static enum err_code refuse(struct err *e, const char *setting, const char *file, const char *what)
{
  unsigned long error = ERR_peek_error();
  const char *reason = error != 0 ? ERR_reason_error_string(error) : NULL;
  ERR_clear_error();
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_tls_file", "%s: %s %s (%s)", setting, file, what,
                 reason != NULL ? reason : "no detail");
}

/* Checks for a file that is missing or unreadable, which the library would report less clearly. */
static enum err_code check_readable(const char *setting, const char *file, bool secret,
                                    struct err *e)
{
  struct stat st = {0};
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int problem = fd < 0 || fstat(fd, &st) != 0 ? errno : S_ISDIR(st.st_mode) ? EISDIR : 0;
  if (fd >= 0)
    close(fd);
  if (problem != 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_tls_file", "%s: cannot read %s: %s", setting, file,
                   strerror(problem));
  if (secret && (st.st_mode & (S_IROTH | S_IWOTH)) != 0)
    log_warn("a file with secrets can be read or changed by others: run chmod 600 on it",
             LOG_S("setting", setting), LOG_S("path", file));
  return ERR_OK;
}

static enum err_code check_all_readable(const struct rpc_tls *tls, struct err *e)
{
  enum err_code code = check_readable("GRPC_TLS_CERT", tls->cert_file, false, e);
  if (code == ERR_OK)
    code = check_readable("GRPC_TLS_KEY", tls->key_file, true, e);
  return code == ERR_OK ? check_readable("GRPC_TLS_CA", tls->ca_file, false, e) : code;
}

/* The library would ask for a password on the terminal, and gRPC cannot give one. */
static int no_password(char *out, int size, int writing, void *user)
{
  (void)out, (void)size, (void)writing, (void)user;
  return 0;
}

static enum err_code refuse_key(const struct rpc_tls *tls, struct err *e)
{
  bool mismatch = ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH ||
                  ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_TYPE_MISMATCH;
  return refuse(e, "GRPC_TLS_KEY", tls->key_file,
                mismatch ? "is not the key of the certificate in GRPC_TLS_CERT"
                         : "holds no private key in PEM without a password");
}

/* Not refused: the clock may be wrong, and new files are taken while the program runs. */
static void warn_of_time(SSL_CTX *ctx, const struct rpc_tls *tls)
{
  const X509 *cert = SSL_CTX_get0_certificate(ctx);
  if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
    log_error(
        "the certificate has expired: no other service will accept it; put a new one in place",
        LOG_S("setting", "GRPC_TLS_CERT"), LOG_S("path", tls->cert_file));
  else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
    log_error("the certificate is not valid yet: is the clock right?",
              LOG_S("setting", "GRPC_TLS_CERT"), LOG_S("path", tls->cert_file));
}

static enum err_code load_all(SSL_CTX *ctx, const struct rpc_tls *tls, struct err *e)
{
  if (check_all_readable(tls, e) != ERR_OK)
    return e->code;
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb(ctx, no_password);
  if (SSL_CTX_use_certificate_chain_file(ctx, tls->cert_file) != 1)
    return refuse(e, "GRPC_TLS_CERT", tls->cert_file, "holds no certificate in PEM");
  if (SSL_CTX_use_PrivateKey_file(ctx, tls->key_file, SSL_FILETYPE_PEM) != 1)
    return refuse_key(tls, e);
  if (SSL_CTX_load_verify_file(ctx, tls->ca_file) != 1)
    return refuse(e, "GRPC_TLS_CA", tls->ca_file, "holds no certificate in PEM");
  warn_of_time(ctx, tls);
  return ERR_OK;
}

static enum err_code check_files(const struct rpc_tls *tls, struct err *e)
{
  if (tls->cert_file == NULL || tls->key_file == NULL || tls->ca_file == NULL)
    return err_set(
        e, ERR_INVALID_ARGUMENT, "bad_tls_file",
        "GRPC_TLS_CERT, GRPC_TLS_KEY, GRPC_TLS_CA: only some of them are set; mutual TLS "
        "needs all three");
  SSL_CTX *ctx = SSL_CTX_new(TLS_method());
  if (ctx == NULL)
    return refuse(e, "GRPC_TLS_CERT", tls->cert_file, "cannot be examined");
  enum err_code code = load_all(ctx, tls, e);
  SSL_CTX_free(ctx);
  if (code == ERR_OK)
    rpc_tls_show_expiry(tls->cert_file);
  return code;
}

static bool is_plaintext(const struct rpc_tls *tls)
{
  return tls->cert_file == NULL && tls->key_file == NULL && tls->ca_file == NULL;
}

/* Options that watch the three files; the caller's credentials take them over. */
static grpc_tls_credentials_options *watch_files(const struct rpc_tls *tls)
{
  grpc_tls_certificate_provider *provider = grpc_tls_certificate_provider_file_watcher_create(
      tls->key_file, tls->cert_file, tls->ca_file, REFRESH_S);
  grpc_tls_credentials_options *options = grpc_tls_credentials_options_create();
  grpc_tls_credentials_options_set_certificate_provider(options, provider);
  grpc_tls_credentials_options_watch_root_certs(options);
  grpc_tls_credentials_options_watch_identity_key_cert_pairs(options);
  grpc_tls_certificate_provider_release(provider);
  return options;
}

enum err_code rpc_tls_server(grpc_server_credentials **out, const struct rpc_tls *tls,
                             struct err *e)
{
  if (is_plaintext(tls)) {
    *out = grpc_insecure_server_credentials_create();
    return ERR_OK;
  }
  enum err_code code = check_files(tls, e);
  if (code != ERR_OK)
    return code;
  grpc_tls_credentials_options *options = watch_files(tls);
  grpc_tls_credentials_options_set_cert_request_type(
      options, GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  *out = grpc_tls_server_credentials_create(options);
  return ERR_OK;
}

/* The library checks the chain in either case; its default verifier compares the names with the
 * host. NULL identity: any name will do. */
static void verify_by(grpc_tls_credentials_options *options, const char *identity)
{
  grpc_tls_certificate_verifier *verifier = identity != NULL
                                                ? rpc_tls_identity_verifier(identity)
                                                : grpc_tls_certificate_verifier_no_op_create();
  grpc_tls_credentials_options_set_certificate_verifier(options, verifier);
  grpc_tls_certificate_verifier_release(verifier);
  grpc_tls_credentials_options_set_check_call_host(options, 0);
}

enum err_code rpc_tls_client(grpc_channel_credentials **out, const struct rpc_tls *tls,
                             const char *identity, bool any_host, struct err *e)
{
  bool named = identity != NULL && identity[0] != '\0';
  if (is_plaintext(tls) && named)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_tls_file",
                   "a server's identity (%s) can be checked with mutual TLS only: set "
                   "GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA",
                   identity);
  if (is_plaintext(tls)) {
    *out = grpc_insecure_credentials_create();
    return ERR_OK;
  }
  enum err_code code = check_files(tls, e);
  if (code != ERR_OK)
    return code;
  grpc_tls_credentials_options *files = watch_files(tls);
  if (named || any_host)
    verify_by(files, named ? identity : NULL);
  *out = grpc_tls_credentials_create(files);
  return ERR_OK;
}
