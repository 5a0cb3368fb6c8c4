/* The page: what to do first, then the tables. */
#include "gateway/status/page.h"

#include <string.h>

#include "common/base/clock.h"
#include "gateway/http/html.h"
#include "gateway/status/table.h"

static void begin(struct buf *out, const struct page *p)
{
  char now[32];
  clock_format_rfc3339(p->asked_unix_ms, now, sizeof(now));
  buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n"
                "<title>Status: analytics-mcp</title>\n"
                "<link rel=\"stylesheet\" href=\"/status/style.css\">\n</head>\n<body>\n"
                "<header>\n<h1>Status</h1>\n");
  buf_printf(out, "<p class=\"asked\">asked at <time datetime=\"%s\">%.10s %.8s UTC</time></p>\n",
             now, now, now + 11);
  buf_puts(out, "<nav><a href=\"#dealers\">Dealers</a> <a href=\"#cohorts\">Cohorts</a> "
                "<a href=\"#services\">Services</a> <a href=\"#facts\">Certificates and keys</a>"
                "</nav>\n</header>\n<main>\n");
}

/* What a person reads first: how many dealers need one. */
static void put_headline(struct buf *out, const size_t counts[STATUS_STATES], size_t n)
{
  size_t problems = 0;
  for (int s = 0; s < STATUS_STATES; s++)
    problems += status_is_problem((enum status_state)s) ? counts[s] : 0;
  buf_puts(out, "<p class=\"headline\">");
  if (n == 0)
    buf_puts(out, "No dealer is known.");
  else if (problems == 0)
    buf_printf(out, "No dealer of %zu needs action.", n);
  else
    buf_printf(out, "%zu of %zu dealer%s need%s action.", problems, n, n == 1 ? "" : "s",
               problems == 1 ? "s" : "");
  buf_puts(out, "</p>\n");
}

static void put_service_tiles(struct buf *out, const struct page *p)
{
  size_t away = 0;
  for (size_t i = 0; i < p->status->n_services; i++)
    away += strcmp(p->status->services[i]->state, "ok") != 0;
  if (away > 0)
    buf_printf(out, "<li class=\"bad\"><b>%zu</b> <a href=\"#services\">service%s away</a></li>\n",
               away, away == 1 ? "" : "s");
  else
    buf_printf(out, "<li class=\"good\"><b>%zu</b> <a href=\"#services\">services ok</a></li>\n",
               p->status->n_services);
}

/* How many dealers are in which state, and the services: a row of tiles. */
static void put_tiles(struct buf *out, const struct page *p)
{
  size_t counts[STATUS_STATES + 1] = {0};
  for (size_t i = 0; i < p->status->n_dealers; i++)
    counts[status_state_of(p->status->dealers[i]->state)]++;
  put_headline(out, counts, p->status->n_dealers);
  buf_puts(out, "<ul class=\"tiles\">\n");
  for (int s = 0; s < STATUS_STATES; s++)
    if (counts[s] > 0)
      buf_printf(out, "<li class=\"%s\"><b>%zu</b> %s</li>\n", table_class((enum status_state)s),
                 counts[s], table_words((enum status_state)s));
  put_service_tiles(out, p);
  buf_puts(out, "</ul>\n");
}

static void put_list(struct buf *out, const char *class, char *const *texts, size_t n)
{
  if (n == 0)
    return;
  buf_printf(out, "<ul class=\"%s\">\n", class);
  for (size_t i = 0; i < n; i++) {
    buf_puts(out, "<li>");
    html_put(out, texts[i]);
    buf_puts(out, "</li>\n");
  }
  buf_puts(out, "</ul>\n");
}

/* Facts that want somebody stand above the dealers, too. */
static void put_fact_alerts(struct buf *out, const struct page *p)
{
  size_t n = 0;
  for (size_t i = 0; i < p->status->n_facts; i++) {
    const Analytics__Status__V1__FactRow *f = p->status->facts[i];
    if (strcmp(f->state, "ok") == 0)
      continue;
    buf_puts(out, n++ == 0 ? "<ul class=\"alerts\">\n<li>" : "<li>");
    html_put(out, f->service);
    buf_puts(out, ": ");
    html_put(out, f->kind);
    buf_putc(out, ' ');
    html_put(out, f->name);
    buf_puts(out, ": ");
    html_put(out, f->detail);
    buf_puts(out, "</li>\n");
  }
  if (n > 0)
    buf_puts(out, "</ul>\n");
}

void page_put(struct buf *out, const struct page *p)
{
  begin(out, p);
  put_tiles(out, p);
  put_list(out, "alerts", p->status->caveats, p->status->n_caveats);
  put_fact_alerts(out, p);
  table_put_dealers(out, p);
  table_put_cohorts(out, p);
  table_put_services(out, p);
  table_put_facts(out, p);
  put_list(out, "notes", p->status->notes, p->status->n_notes);
  buf_puts(out, "</main>\n</body>\n</html>\n");
}
