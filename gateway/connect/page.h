/* HTML of the pages: written escaped, sent with the headers that every page has. */
#ifndef AMCP_GATEWAY_CONNECT_PAGE_H
#define AMCP_GATEWAY_CONNECT_PAGE_H

#include "analytics/auth/v1/connect.pb-c.h"
#include "gateway/connect/words.h"
#include "gateway/http/listener.h"

enum { PAGE_MAX = 1 << 20 };

/* What pages are drawn with. */
struct page {
  const struct connect_words *words;
  const char *base;          /* path of the pages: "/connect" */
  const char *operator_name; /* who asks */
  const char *privacy_url;   /* NULL: none */
  struct buf body;           /* starts as BUF_INIT(PAGE_MAX) */
};

/* Each writes one whole page. `invite` is the link's last part. */
void page_invite(struct page *p, const Analytics__Auth__V1__ShowInviteResponse *shown,
                 const char *invite);
void page_consent(struct page *p, const Analytics__Auth__V1__ShowConsentResponse *shown);
/* `again`: with a button that begins once more within the session. */
void page_error(struct page *p, const char *reason, bool again);

/* The answer, with its headers. form_origin: where forms may lead beside our own pages, NULL:
 * nowhere. Takes the body. */
void page_send(struct page *p, struct exchange *x, int status, const char *form_origin);
/* 303 with the same headers; cookie NULL for none. */
void page_redirect(struct exchange *x, const char *location, const char *cookie,
                   const char *form_origin);
void page_send_style(struct exchange *x);

#endif
