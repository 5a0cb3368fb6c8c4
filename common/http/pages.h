/* A small listener for pages that operators read: GET and HEAD, plain on loopback or with TLS and a
 * required client certificate elsewhere.
 *
 * An answer may wait for other services, at most some seconds: it runs on one of the listener's own
 * few threads, and further requests wait for one. Without TLS only requests are answered whose Host
 * is a loopback name, so that a website cannot read the page under a name of its own that leads
 * here (DNS rebinding). Every answer carries headers against scripts, frames and caches. */
#ifndef AMCP_HTTP_PAGES_H
#define AMCP_HTTP_PAGES_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

struct page_request; /* one request, while it is answered */
/* Decoded, without the query. */
const char *page_path(const struct page_request *r);
/* Value of a header or of an argument of the query; NULL when absent. */
const char *page_header(const struct page_request *r, const char *name);
const char *page_argument(const struct page_request *r, const char *name);

struct page_reply {
  unsigned status;  /* 200 unless set */
  const char *type; /* content type; static */
  struct buf body;  /* BUF_INIT of the listener's max_body */
};

/* Files (PEM), read at the start. All three, or NULL: plaintext. */
struct pages_tls {
  const char *cert_file, *key_file;
  const char *client_ca_file; /* a client's certificate must be of it */
};

struct pages_options {
  const char *setting; /* names the listener in messages: "STATUS_LISTEN" */
  const char *listen;  /* host:port; port 0 takes a free one; NULL for no listener */
  struct pages_tls tls;
  size_t max_body; /* of an answer */
  /* Answers; on a thread of the listener's, which it may hold up for some seconds. */
  void (*answer)(void *user, const struct page_request *request, struct page_reply *reply);
  void *user;
};

struct pages;

/* Whether the address may be listened on: loopback, or with all three TLS files.
 * ERR_INVALID_ARGUMENT names the setting and the remedy. NULL `listen` is fine. */
enum err_code pages_check(const struct pages_options *options, struct err *e);
/* *out is NULL without `listen`. ERR_UNAVAILABLE when the port is busy; ERR_INVALID_ARGUMENT as
 * above, and for a file of TLS that cannot be used. */
enum err_code pages_start(struct pages **out, const struct pages_options *options, struct err *e);
uint16_t pages_port(const struct pages *p);
/* Waits for answers under way. NULL is fine. */
void pages_stop(struct pages *p);

#endif
