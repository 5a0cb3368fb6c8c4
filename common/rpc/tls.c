/* Mutual TLS from files: checked at the start, watched from then on.
 *
 * Of the library's credentials only those with a certificate provider reload on the
 * client side too. The provider keeps the old files when new ones do not fit together,
 * but says nothing at the start about files that never did: hence our own check. */
#include "common/rpc/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { REFRESH_S = 2 };

static enum err_code refuse(struct err *e, const char *what, const char *file)
{
  char detail[160] = "no detail";
  unsigned long error = ERR_peek_error();
  if (error != 0)
    ERR_error_string_n(error, detail, sizeof(detail));
  ERR_clear_error();
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_tls_file", "%s %s: %s", what, file, detail);
}

static enum err_code load_all(SSL_CTX *ctx, const struct rpc_tls *tls, struct err *e)
{
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(ctx, tls->cert_file) != 1)
    return refuse(e, "cannot read a certificate from", tls->cert_file);
  if (SSL_CTX_use_PrivateKey_file(ctx, tls->key_file, SSL_FILETYPE_PEM) != 1)
    return refuse(e, "cannot use the private key in", tls->key_file);
  if (SSL_CTX_load_verify_file(ctx, tls->ca_file) != 1)
    return refuse(e, "cannot read CA certificates from", tls->ca_file);
  return ERR_OK;
}

static enum err_code check_files(const struct rpc_tls *tls, struct err *e)
{
  if (tls->cert_file == NULL || tls->key_file == NULL || tls->ca_file == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_tls_file",
                   "TLS needs a certificate, a key and a CA file; only some of them are set");
  SSL_CTX *ctx = SSL_CTX_new(TLS_method());
  if (ctx == NULL)
    return refuse(e, "cannot start TLS for", tls->cert_file);
  enum err_code code = load_all(ctx, tls, e);
  SSL_CTX_free(ctx);
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

enum err_code rpc_tls_client(grpc_channel_credentials **out, const struct rpc_tls *tls,
                             struct err *e)
{
  if (is_plaintext(tls)) {
    *out = grpc_insecure_credentials_create();
    return ERR_OK;
  }
  enum err_code code = check_files(tls, e);
  if (code != ERR_OK)
    return code;
  /* The default verifier compares the target's host with the server's certificate. */
  *out = grpc_tls_credentials_create(watch_files(tls));
  return ERR_OK;
}
