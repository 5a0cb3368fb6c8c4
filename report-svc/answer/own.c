/* Sentences about leads, shopper sessions and several properties. */
#include "report-svc/answer/own.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/ga4/own.h"

enum { LIST_MAX = 400 };

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

void caveats_of_one_property(struct answer_texts *out, const struct ask *a)
{
  AUTO_BUF struct buf list = BUF_INIT(LIST_MAX);
  const struct token *t = ask_used_token(a);
  if (ask_names_property(a) || token_properties(t) < 2)
    return;
  put_properties(&list, t);
  answer_say(out,
             "The dealer has %zu properties (%s); these figures are of its default one, %s, alone. "
             "property_id asks for another.",
             t->n_property_ids, buf_str(&list), ask_property(a));
}

void caveats_of_key_events(struct answer_texts *out, char *const *metrics, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(metrics[i], "keyEvents") == 0 || strcmp(metrics[i], "conversions") == 0) {
      answer_say(out,
                 "%s counts every event that is marked as a key event, so one contact may count "
                 "several times, and not only contacts count: for leads ask for the metric leads.",
                 metrics[i]);
      return;
    }
}
