/* Services, dealers, cohorts, and what to keep an eye on, as tables that become lists of cards on a
 * narrow screen: each cell carries the name of its column. */
#include "gateway/status/table.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "gateway/http/html.h"

/* ---------------------------------------------------------------------------- words */

static const struct {
  const char *class, *words;
} states[STATUS_STATES] = {{"bad", "needs re-consent"}, {"bad", "misconfigured"},
                           {"bad", "failing"},          {"warn", "held back"},
                           {"warn", "no quota"},        {"warn", "suspect data"},
                           {"quiet", "no report yet"},  {"good", "ok"}};

const char *table_class(enum status_state state)
{
  return states[state].class;
}

const char *table_words(enum status_state state)
{
  return states[state].words;
}

/* ---------------------------------------------------------------------------- cells */

static void begin_cell(struct buf *out, const char *label, const char *value)
{
  buf_printf(out, "<td data-label=\"%s\"%s>", label, value[0] == '\0' ? " class=\"empty\"" : "");
}

static void put_cell(struct buf *out, const char *label, const char *value)
{
  begin_cell(out, label, value);
  html_put(out, value);
  buf_puts(out, "</td>");
}

static void put_number(struct buf *out, const char *label, int value)
{
  buf_printf(out, "<td data-label=\"%s\" class=\"number\">%d</td>", label, value);
}

static void put_badge(struct buf *out, const char *class, const char *words)
{
  buf_printf(out, "<td data-label=\"State\"><span class=\"badge %s\">", class);
  html_put(out, words);
  buf_puts(out, "</span></td>");
}

/* "11:59" of today, "11-28 11:59" of another day: the whole is in the attribute. */
static void put_time(struct buf *out, const char *label, const char *time, int64_t now_unix_ms)
{
  char now[32];
  begin_cell(out, label, time);
  if (strlen(time) >= 16) {
    clock_format_rfc3339(now_unix_ms, now, sizeof(now));
    buf_puts(out, "<time datetime=\"");
    html_put(out, time);
    buf_printf(out, "\">%.*s%s%.5s</time>", strncmp(time, now, 10) == 0 ? 0 : 5, time + 5,
               strncmp(time, now, 10) == 0 ? "" : " ", time + 11);
  }
  buf_puts(out, "</td>");
}

static void begin_table(struct buf *out, const char *id, const char *title, size_t n)
{
  buf_printf(out,
             "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s <span class=\"count\">%zu</span>"
             "</h2>\n<table aria-labelledby=\"%s\">\n<thead><tr>",
             id, id, title, n, id);
}

static void put_heads(struct buf *out, const char *const *names, size_t n)
{
  for (size_t i = 0; i < n; i++)
    buf_printf(out, "<th scope=\"col\">%s</th>", names[i]);
  buf_puts(out, "</tr></thead>\n<tbody>\n");
}

static void end_table(struct buf *out)
{
  buf_puts(out, "</tbody>\n</table>\n</section>\n");
}

static void put_row_head(struct buf *out, const char *name, const char *id)
{
  buf_puts(out, "<th scope=\"row\">");
  html_put(out, name[0] != '\0' ? name : id);
  if (id[0] != '\0' && name[0] != '\0') {
    buf_puts(out, " <small>");
    html_put(out, id);
    buf_puts(out, "</small>");
  }
  buf_puts(out, "</th>");
}

/* ------------------------------------------------------------------------- services */

void table_put_services(struct buf *out, const struct page *p)
{
  static const char *const heads[] = {"Service", "State", "Version", "Host", "Since (UTC)"};
  begin_table(out, "services", "Services", p->status->n_services);
  put_heads(out, heads, ARRAY_LEN(heads));
  for (size_t i = 0; i < p->status->n_services; i++) {
    const Analytics__Status__V1__ServiceRow *s = p->status->services[i];
    bool away = strcmp(s->state, "ok") != 0;
    buf_puts(out, "<tr>");
    put_row_head(out, s->service, "");
    put_badge(out, away ? "bad" : "good", away ? "did not answer" : "ok");
    put_cell(out, "Version", s->version);
    put_cell(out, away ? "Why" : "Host", away ? s->detail : s->replica);
    put_time(out, "Since (UTC)", s->started, p->asked_unix_ms);
    buf_puts(out, "</tr>\n");
  }
  end_table(out);
}

/* -------------------------------------------------------------------------- dealers */

static const struct {
  enum order_column column;
  const char *words;
  bool descends; /* at the first click */
} dealer_heads[] = {{ORDER_STATE, "State", false},        {ORDER_DEALER, "Dealer", false},
                    {ORDER_COLUMNS, "What to do", false}, {ORDER_DATA, "Data through", false},
                    {ORDER_REPORT, "Last report", true},  {ORDER_FAILURES, "Failures, 24 h", true},
                    {ORDER_QUOTA, "Quota left", false},   {ORDER_TOKEN, "Last token", true},
                    {ORDER_REGION, "Region", false}};

/* A link that sorts by the column, the other way round where that is so already. */
static void put_sort_head(struct buf *out, const struct page *p, size_t i)
{
  enum order_column column = dealer_heads[i].column;
  bool current = column == p->order.column;
  bool descending = current ? !p->order.descending : dealer_heads[i].descends;
  buf_puts(out, "<th scope=\"col\"");
  if (current)
    buf_printf(out, " aria-sort=\"%s\"", p->order.descending ? "descending" : "ascending");
  if (column == ORDER_COLUMNS)
    buf_printf(out, ">%s</th>", dealer_heads[i].words);
  else
    buf_printf(out, "><a href=\"/status?sort=%s&amp;order=%s#dealers\">%s%s</a></th>",
               order_name(column), descending ? "desc" : "asc", dealer_heads[i].words,
               !current              ? ""
               : p->order.descending ? " ▾"
                                     : " ▴");
}

static bool is_command(const char *remedy)
{
  return strncmp(remedy, "auth-svc ", 9) == 0;
}

static void put_remedy(struct buf *out, const Analytics__Status__V1__DealerRow *d)
{
  const char *tag = is_command(d->remedy) ? "code" : "span";
  begin_cell(out, "What to do", d->remedy);
  if (d->remedy[0] != '\0') {
    buf_printf(out, "<%s>", tag);
    html_put(out, d->remedy);
    buf_printf(out, "</%s>", tag);
  }
  if (d->suspect[0] != '\0') {
    buf_puts(out, " <small>");
    html_put(out, d->suspect);
    buf_puts(out, "</small>");
  }
  buf_puts(out, "</td>");
}

/* "2026-11-28". */
static void put_date(struct buf *out, const char *label, const char *date)
{
  begin_cell(out, label, date);
  buf_puts(out, "<time>");
  html_put(out, date);
  buf_puts(out, "</time></td>");
}

static void put_report(struct buf *out, const Analytics__Status__V1__DealerRow *d, int64_t now)
{
  put_time(out, "Last report", d->last_report, now);
  put_cell(out, "Failures, 24 h", d->failures);
  begin_cell(out, "Quota left", d->quota_left);
  html_put(out, d->quota_left);
  buf_puts(out, "</td>");
  put_time(out, "Last token", d->last_token, now);
}

static void put_dealer(struct buf *out, const struct page *p,
                       const Analytics__Status__V1__DealerRow *d)
{
  enum status_state state = status_state_of(d->state);
  if (state == STATUS_STATES)
    state = STATUS_OK;
  buf_printf(out, "<tr class=\"%s\">", states[state].class);
  put_badge(out, states[state].class, states[state].words);
  put_row_head(out, d->name, d->dealer_id);
  put_remedy(out, d);
  put_date(out, "Data through", d->data_through);
  put_report(out, d, p->asked_unix_ms);
  put_cell(out, "Region", d->region);
  buf_puts(out, "</tr>\n");
}

void table_put_dealers(struct buf *out, const struct page *p)
{
  begin_table(out, "dealers", "Dealers", p->status->n_dealers);
  for (size_t i = 0; i < ARRAY_LEN(dealer_heads); i++)
    put_sort_head(out, p, i);
  buf_puts(out, "</tr></thead>\n<tbody>\n");
  for (size_t i = 0; i < p->status->n_dealers; i++)
    put_dealer(out, p, p->status->dealers[i]);
  end_table(out);
}

/* -------------------------------------------------------------------------- the rest */

void table_put_cohorts(struct buf *out, const struct page *p)
{
  static const char *const heads[] = {"Cohort", "Released to dealers in it", "Why not", "Dealers",
                                      "Owners"};
  begin_table(out, "cohorts", "Cohorts", p->status->n_cohorts);
  put_heads(out, heads, ARRAY_LEN(heads));
  for (size_t i = 0; i < p->status->n_cohorts; i++) {
    const Analytics__Status__V1__CohortRow *c = p->status->cohorts[i];
    buf_puts(out, "<tr>");
    put_row_head(out, c->label, c->cohort);
    put_cell(out, "Released to dealers in it", c->released);
    put_cell(out, "Why not", c->why_not);
    put_number(out, "Dealers", c->dealers);
    put_number(out, "Owners", c->owners);
    buf_puts(out, "</tr>\n");
  }
  end_table(out);
}

static const char *class_of(const char *state)
{
  return strcmp(state, "ok") == 0 ? "good" : strcmp(state, "warn") == 0 ? "warn" : "bad";
}

void table_put_facts(struct buf *out, const struct page *p)
{
  static const char *const heads[] = {"What", "State", "Which", "Service", "Detail"};
  begin_table(out, "facts", "Certificates, keys, audit log", p->status->n_facts);
  put_heads(out, heads, ARRAY_LEN(heads));
  for (size_t i = 0; i < p->status->n_facts; i++) {
    const Analytics__Status__V1__FactRow *f = p->status->facts[i];
    buf_puts(out, "<tr>");
    put_row_head(out, f->kind, "");
    put_badge(out, class_of(f->state), f->state);
    put_cell(out, "Which", f->name);
    put_cell(out, "Service", f->service);
    put_cell(out, "Detail", f->detail);
    buf_puts(out, "</tr>\n");
  }
  end_table(out);
}
