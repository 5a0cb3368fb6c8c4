/* The listener's answers: the page, its style, JSON. */
#include "gateway/status/status.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "gateway/status/ask.h"
#include "gateway/status/page.h"

enum { STATUS_MAGIC = 0x53746174, KEEP_MS = 1000 };

/* Generated from style.css. */
extern const unsigned char status_style[];
extern const size_t status_style_size;

struct status_page {
  uint32_t magic;
  struct status_page_options options;
  struct pages *pages;
  pthread_mutex_t lock; /* also while the services are asked: one asks, others wait for it */
  /* Guarded by lock: */
  struct answers *answers;
  int64_t asked_ms; /* clock_mono_ms() */
};

static void reply_text(struct page_reply *reply, unsigned status, const char *text)
{
  reply->status = status;
  reply->type = "text/plain; charset=utf-8";
  buf_printf(&reply->body, "%s\n", text);
}

/* JSON where it is asked for and HTML is not: a browser asks for HTML. */
static bool wants_json(const struct page_request *r)
{
  const char *accept = page_header(r, "Accept");
  return accept != NULL && strstr(accept, "application/json") != NULL &&
         strstr(accept, "text/html") == NULL;
}

/* ------------------------------------------------------------------------------ data */

static void refresh(struct status_page *s)
{
  int64_t now = clock_mono_ms();
  if (s->answers != NULL && now - s->asked_ms < KEEP_MS)
    return;
  answers_free(s->answers);
  s->answers = ask_services(&s->options);
  s->asked_ms = clock_mono_ms();
}

static void put_json(struct page_reply *reply, const Analytics__Status__V1__ServiceStatus *status)
{
  static const struct pbjson_write_options options = {.emit_defaults = true, .whole_numbers = true};
  struct err e = {0};
  reply->type = "application/json";
  if (pbjson_write(&reply->body, &status->base, &options, &e) != ERR_OK)
    reply->body.failed = true;
}

/* The rows are put into another order in place: nobody else looks at them meanwhile. */
static void draw(struct status_page *s, const struct page_request *r, struct order order,
                 struct page_reply *reply)
{
  Analytics__Status__V1__ServiceStatus *status = s->answers->status;
  order_rows(status->dealers, status->n_dealers, order);
  if (wants_json(r)) {
    put_json(reply, status);
    return;
  }
  const struct page page = {status, order, s->answers->asked_unix_ms};
  reply->type = "text/html; charset=utf-8";
  page_put(&reply->body, &page);
}

static void answer_status(struct status_page *s, const struct page_request *r,
                          struct page_reply *reply)
{
  struct order order;
  if (!order_read(&order, page_argument(r, "sort"), page_argument(r, "order"))) {
    reply_text(
        reply, 400,
        "sort must be one of state, dealer, report, failures, quota, token, region, data; order "
        "must be asc or desc");
    return;
  }
  pthread_mutex_lock(&s->lock);
  refresh(s);
  if (s->answers != NULL)
    draw(s, r, order, reply);
  else
    reply_text(reply, 500, "the state of the set does not fit into memory");
  pthread_mutex_unlock(&s->lock);
}

static void answer(void *user, const struct page_request *r, struct page_reply *reply)
{
  struct status_page *s = user;
  MAGIC_CHECK(s, STATUS_MAGIC);
  if (strcmp(page_path(r), "/status") == 0) {
    answer_status(s, r, reply);
  } else if (strcmp(page_path(r), "/status/style.css") == 0) {
    reply->type = "text/css; charset=utf-8";
    buf_append(&reply->body, status_style, status_style_size);
  } else {
    reply_text(reply, 404, "the page is /status");
  }
}

/* -------------------------------------------------------------------------- listening */

static struct pages_options pages_of(const struct status_page_options *o, struct status_page *s)
{
  return (struct pages_options){.setting = "STATUS_LISTEN",
                                .listen = o->listen,
                                .tls = o->tls,
                                .max_body = PAGE_MAX,
                                .answer = answer,
                                .user = s};
}

enum err_code status_page_start(struct status_page **out, const struct status_page_options *options,
                                struct err *e)
{
  *out = NULL;
  if (options->listen == NULL)
    return ERR_OK;
  struct status_page *s = xcalloc(1, sizeof(*s));
  s->magic = STATUS_MAGIC;
  s->options = *options;
  pthread_mutex_init(&s->lock, NULL);
  const struct pages_options pages = pages_of(options, s);
  enum err_code code = pages_start(&s->pages, &pages, e);
  if (code != ERR_OK)
    status_page_stop(s);
  else
    *out = s;
  return code;
}

uint16_t status_page_port(const struct status_page *s)
{
  return pages_port(s->pages);
}

void status_page_stop(struct status_page *s)
{
  if (s == NULL)
    return;
  pages_stop(s->pages);
  answers_free(s->answers);
  pthread_mutex_destroy(&s->lock);
  s->magic = 0;
  free(s);
}
