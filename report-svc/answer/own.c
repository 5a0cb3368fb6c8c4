/* Sentences about leads, shopper sessions and several properties. */
#include "report-svc/answer/own.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/ga4/own.h"

enum { LIST_MAX = 400, FIRST_DAYS_MAX = 1000 };

static void put_properties(struct buf *out, const struct token *t)
{
  for (size_t i = 0; i < t->n_property_ids; i++)
    buf_printf(out, "%s%s", i == 0 ? "" : ", ", t->property_ids[i]);
}

static void say_leads(struct answer_texts *out, const struct own_facts *f)
{
  if (f->lead_event != NULL)
    answer_say(out, "Leads are %.100s (%s), %s.", f->lead_event, lead_event_kind(f->lead_event),
               f->configured ? "the dealer's configured lead event"
                             : "the form event that fired most in the last 90 days");
  if (f->without_leads > 0)
    answer_say(out,
               "%zu of the dealer's properties fired no lead event in 90 days and count 0 leads.",
               f->without_leads);
}

static void say_shoppers(struct answer_texts *out, const struct own_facts *f)
{
  if (f->shopper == SHOPPER_INVENTORY)
    answer_say(out, "Shopper sessions are those with a page of a vehicle or of a list of "
                    "vehicles.");
  else if (f->shopper == SHOPPER_ENGAGED)
    answer_say(out, "Shopper sessions are GA4's engaged sessions, by the dealer's setting.");
  else if (f->shopper == SHOPPER_EVENT)
    answer_say(out, "Shopper sessions are those with %.100s, by the dealer's setting.",
               f->shopper_event);
  if (f->without_shoppers > 0)
    answer_say(out,
               "%zu of the dealer's properties reported no pages of vehicles in 90 days and count "
               "0 shopper sessions.",
               f->without_shoppers);
}

static void say_properties(struct answer_texts *out, const struct own_facts *f,
                           const struct token *t)
{
  AUTO_BUF struct buf list = BUF_INIT(LIST_MAX), first = BUF_INIT(LIST_MAX);
  if (f->properties < 2)
    return;
  put_properties(&list, t);
  answer_say(out,
             "The figures are those of the dealer's %zu properties together (%s); property_id asks "
             "for one alone.",
             f->properties, buf_str(&list));
  for (size_t i = 0; i < f->n_first_only; i++)
    buf_printf(&first, "%s%.60s", i == 0 ? "" : ", ", f->first_only[i]);
  if (f->n_first_only > 0)
    answer_say(out,
               "Not added up over properties, so of the default one (%s) alone: %s. The same "
               "people or amounts may be in several.",
               t->property_ids[0], buf_str(&first));
}

void caveats_of_own(struct answer_texts *out, const struct own_job *j)
{
  const struct own_facts *f = own_facts(j);
  say_properties(out, f, ask_used_token(own_ask(j)));
  if (f->leads)
    say_leads(out, f);
  if (f->shoppers)
    say_shoppers(out, f);
  if (f->calls)
    answer_say(out, "No asc_click_to_call in these days: the site may not report its calls.");
  if (f->chats)
    answer_say(out, "No asc_comm_submission in these days: the site may not report its chats.");
  if (f->some_chats)
    answer_say(out, "%s", own_chats_note);
}

/* The last day of all ranges. */
static int64_t last_day(const struct answer_days *days, size_t n)
{
  int64_t last = 0;
  for (size_t i = 0; i < n; i++)
    last = days[i].last > last ? days[i].last : last;
  return last;
}

/* "properties/11 has data from 2026-11-20 on". */
static void put_first_day(struct buf *out, const struct ask *a)
{
  char day[16];
  int64_t first = ask_first_day(a);
  buf_printf(out, "%s%.40s ", out->len == 0 ? "" : ", ", ask_property(a));
  clock_format_date(first, day, sizeof(day));
  if (first == FIRST_DAY_NONE)
    buf_puts(out, "has no data yet");
  else if (first == FIRST_DAY_UNKNOWN)
    buf_puts(out, "(its first day is not known)");
  else
    buf_printf(out, "has data from %s on", day);
}

void caveats_of_first_days(struct answer_texts *out, const struct own_job *j,
                           const struct answer_days *days, size_t n)
{
  char day[16];
  AUTO_BUF struct buf list = BUF_INIT(FIRST_DAYS_MAX);
  size_t properties = own_facts(j)->properties, without = 0;
  int64_t latest = 0;
  bool known = true;
  for (size_t i = own_without_rows(j, 0); i < properties; i = own_without_rows(j, i + 1)) {
    int64_t first = ask_first_day(own_ask_of(j, i));
    known = known && first != FIRST_DAY_NONE && first != FIRST_DAY_UNKNOWN;
    latest = first > latest ? first : latest;
    put_first_day(&list, own_ask_of(j, i));
    without++;
  }
  if (without == 0)
    return;
  answer_say(out, "%zu of the dealer's %zu properties %s no data of these days: %s.", without,
             properties, without == 1 ? "has" : "have", buf_str(&list));
  clock_format_date(latest, day, sizeof(day));
  if (known && latest > last_day(days, n))
    answer_say(out,
               "From %s on all of the dealer's properties have data; ask for days from then "
               "on to compare like with like.",
               day);
}

void caveats_of_one_property(struct answer_texts *out, const struct ask *a)
{
  AUTO_BUF struct buf list = BUF_INIT(LIST_MAX);
  const struct token *t = ask_used_token(a);
  if (ask_names_property(a) || token_properties(t) < 2)
    return;
  put_properties(&list, t);
  answer_say(out,
             "The dealer has %zu properties (%s); this answer is about its default one, %s, alone. "
             "property_id asks for another.",
             t->n_property_ids, buf_str(&list), ask_property(a));
}

void caveats_of_key_events(struct answer_texts *out, Analytics__Ga4__V1beta__Metric *const *metrics,
                           size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (ga4_metric_uses(metrics[i], "keyEvents") || ga4_metric_uses(metrics[i], "conversions")) {
      answer_say(out,
                 "%s counts every event that is marked as a key event, so one contact may count "
                 "several times, and not only contacts count: for leads ask for the metric leads.",
                 metrics[i]->name);
      return;
    }
}
