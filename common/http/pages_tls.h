/* TLS of pages.h: PEM files, and a client certificate that the handshake requires. Private to it.
 */
#ifndef AMCP_HTTP_PAGES_TLS_H
#define AMCP_HTTP_PAGES_TLS_H

#include <microhttpd.h>

#include "common/http/pages.h"

/* The files' texts; zeroed before the first use. */
struct pages_material {
  char *cert, *key, *client_ca;
};

/* ERR_INVALID_ARGUMENT names the file that cannot be read, or holds no certificate or key that fit
 * together. */
enum err_code pages_material_read(struct pages_material *out, const struct pages_tls *files,
                                  struct err *e);
/* Overwrites the key. */
void pages_material_free(struct pages_material *m);

enum { PAGES_TLS_ITEMS = 6 };
/* Options of the daemon, with their end. They refer to the texts. */
void pages_material_items(const struct pages_material *m, struct MHD_OptionItem *items);

#endif
