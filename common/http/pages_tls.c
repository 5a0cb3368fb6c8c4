/* Mutual TLS of the listener for pages: libmicrohttpd asks for a client certificate but goes on
 * without one, so each session is set to require and check it. */
#include "common/http/pages_tls.h"

#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static enum err_code read_pem(char **out, const char *file, struct err *e)
{
  gnutls_datum_t text = {0};
  if (gnutls_load_file(file, &text) != GNUTLS_E_SUCCESS)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_tls", "%s: the file cannot be read", file);
  *out = xstrndup((const char *)text.data, text.size);
  mem_wipe(text.data, text.size);
  gnutls_free(text.data);
  return ERR_OK;
}

static gnutls_datum_t datum_of(char *text)
{
  return (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
}

/* The daemon takes wrong files without a word and refuses every client. */
static enum err_code check(const struct pages_material *m, const struct pages_tls *files,
                           struct err *e)
{
  gnutls_certificate_credentials_t credentials;
  const gnutls_datum_t cert = datum_of(m->cert), key = datum_of(m->key),
                       ca = datum_of(m->client_ca);
  if (gnutls_certificate_allocate_credentials(&credentials) != GNUTLS_E_SUCCESS)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "no_memory", "no memory for TLS");
  int own = gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
  int trusted = gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM);
  gnutls_certificate_free_credentials(credentials);
  if (own < 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_tls",
                   "%s, %s: not a certificate and its key in PEM form: %s", files->cert_file,
                   files->key_file, gnutls_strerror(own));
  if (trusted <= 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_tls", "%s: holds no certificate in PEM form",
                   files->client_ca_file);
  return ERR_OK;
}

enum err_code pages_material_read(struct pages_material *out, const struct pages_tls *files,
                                  struct err *e)
{
  if (read_pem(&out->cert, files->cert_file, e) != ERR_OK ||
      read_pem(&out->key, files->key_file, e) != ERR_OK ||
      read_pem(&out->client_ca, files->client_ca_file, e) != ERR_OK)
    return e->code;
  return check(out, files, e);
}

void pages_material_free(struct pages_material *m)
{
  if (m->key != NULL)
    mem_wipe(m->key, strlen(m->key));
  free(m->cert);
  free(m->key);
  free(m->client_ca);
  *m = (struct pages_material){0};
}

/* Before the handshake of each connection. */
static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_data,
                          enum MHD_ConnectionNotificationCode code)
{
  (void)cls, (void)socket_data;
  if (code != MHD_CONNECTION_NOTIFY_STARTED)
    return;
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  if (info == NULL || info->tls_session == NULL)
    abort(); /* nobody may be served without the check */
  gnutls_session_t session = info->tls_session;
  gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
  gnutls_session_set_verify_cert(session, NULL, 0);
}

/* Function pointers do not fit the union of items but as the library's own macros take them. */
static intptr_t as_number(MHD_NotifyConnectionCallback fn)
{
  intptr_t number;
  _Static_assert(sizeof(number) == sizeof(fn), "a function pointer fits a number");
  memcpy(&number, &fn, sizeof(number));
  return number;
}

void pages_material_items(const struct pages_material *m, struct MHD_OptionItem *items)
{
  static char versions[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
  const struct MHD_OptionItem own[PAGES_TLS_ITEMS] = {
      {MHD_OPTION_HTTPS_MEM_CERT, 0, m->cert},
      {MHD_OPTION_HTTPS_MEM_KEY, 0, m->key},
      {MHD_OPTION_HTTPS_MEM_TRUST, 0, m->client_ca},
      {MHD_OPTION_HTTPS_PRIORITIES, 0, versions},
      {MHD_OPTION_NOTIFY_CONNECTION, as_number(on_connection), NULL},
      {MHD_OPTION_END, 0, NULL}};
  memcpy(items, own, sizeof(own));
}
