/* Google's notes on the quality of its data, in words. */
#include "report-svc/answer/caveats.h"

#include <string.h>

#include "common/base/clock.h"
#include "report-svc/ask/ask.h"

typedef Analytics__Ga4__V1beta__ResponseMetaData metadata_message;
typedef Analytics__Ga4__V1beta__ResponseMetaData__SchemaRestrictionResponse restriction_message;

/* The smallest share over the date ranges. */
static void sampling(struct answer_texts *out, const metadata_message *m)
{
  double least = 1;
  for (size_t i = 0; i < m->n_sampling_metadatas; i++) {
    const Analytics__Ga4__V1beta__SamplingMetadata *s = m->sampling_metadatas[i];
    double share = s->sampling_space_size > 0
                       ? (double)s->samples_read_count / (double)s->sampling_space_size
                       : 1;
    least = share < least ? share : least;
  }
  if (m->n_sampling_metadatas > 0)
    answer_say(out,
               "Sampled: Google read %.3g %% of the events and scaled the figures up, so they are "
               "estimates; ask for fewer days or dimensions to have exact ones.",
               100 * least);
}

static void restrictions(struct answer_texts *out, const restriction_message *r)
{
  for (size_t i = 0; r != NULL && i < r->n_active_metric_restrictions; i++)
    answer_say(
        out,
        "Withheld: the dealer's credential may not see %.80s (its role hides cost or revenue "
        "data), so Google gives 0, which is not the figure.",
        r->active_metric_restrictions[i]->metric_name);
}

static void truncations(struct answer_texts *out, const metadata_message *m)
{
  for (size_t i = 0; i < m->n_data_truncation_reasons; i++) {
    const Analytics__Ga4__V1beta__ResponseMetaData__DataTruncationReason *t =
        m->data_truncation_reasons[i];
    answer_say(out, "Cut off: Google no longer has all of the data asked for%s%.40s%s%.300s",
               t->data_truncation_date[0] != '\0' ? ", only from " : "", t->data_truncation_date,
               t->data_truncation_message[0] != '\0' ? ": " : ".", t->data_truncation_message);
  }
}

void caveats_of_metadata(struct answer_texts *out, const metadata_message *m)
{
  if (m == NULL)
    return;
  sampling(out, m);
  if (m->subject_to_thresholding)
    answer_say(out, "Thresholding: Google withholds rows of few users, so rows are missing and "
                    "sums over the rows are too small.");
  if (m->data_loss_from_other_row)
    answer_say(out, "Google put rare values into the row \"(other)\"; rows by name may be too "
                    "small. Filter or ask for fewer dimensions to see them.");
  restrictions(out, m->schema_restriction_response);
  truncations(out, m);
  if (m->empty_reason[0] != '\0')
    answer_say(out, "Google says why there are no rows: %.200s.", m->empty_reason);
}

void caveats_of_currency(struct answer_texts *out, const char *currency,
                         Analytics__Ga4__V1beta__MetricHeader *const *metrics, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (metrics[i]->type == ANALYTICS__GA4__V1BETA__METRIC_TYPE__TYPE_CURRENCY &&
        currency[0] != '\0') {
      answer_say(out, "Amounts of money are in %.8s.", currency);
      return;
    }
  }
}

void caveats_of_days(struct answer_texts *out, const struct answer_days *days)
{
  char complete[16], today[16];
  if (days->complete >= days->last)
    return;
  clock_format_date(days->complete, complete, sizeof(complete));
  clock_format_date(days->today, today, sizeof(today));
  if (days->first > days->today)
    answer_say(out,
               "None of these days has begun: the property's today is %s. There is nothing to "
               "report yet; ask for days in the past.",
               today);
  else if (days->complete < days->first)
    answer_say(out, "Google is still processing all of these days: the figures will change.");
  else
    answer_say(out, "Google is still processing the days after %s: their figures will change.",
               complete);
}

/* The last day of all ranges, and whether all of them are final. */
static int64_t last_day(const struct answer_days *days, size_t n, bool *final)
{
  int64_t last = INT64_MIN;
  *final = true;
  for (size_t i = 0; i < n; i++) {
    last = days[i].last > last ? days[i].last : last;
    *final = *final && days[i].complete >= days[i].last;
  }
  return last;
}

bool caveats_before_data(struct answer_texts *out, const struct answer_days *days, size_t n,
                         int64_t first_day, const char *property)
{
  char first[16];
  bool final;
  if (first_day == FIRST_DAY_NONE) {
    answer_say(out, "%.40s has no data yet: no session was ever recorded there.", property);
    return true;
  }
  if (first_day == FIRST_DAY_UNKNOWN || first_day <= last_day(days, n, &final))
    return false;
  clock_format_date(first_day, first, sizeof(first));
  answer_say(out,
             "These days lie before the first data: %.40s has data from %s on. Ask for days "
             "from then on.",
             property, first);
  return true;
}

void caveats_of_no_rows(struct answer_texts *out, const struct answer_days *days, size_t n,
                        int64_t first_day, const char *property)
{
  char first[16];
  bool final;
  last_day(days, n, &final);
  if (caveats_before_data(out, days, n, first_day, property) || !final)
    return;
  clock_format_date(first_day, first, sizeof(first));
  if (first_day != FIRST_DAY_UNKNOWN)
    answer_say(out, "Google has no data of these days, though %.40s has data from %s on.", property,
               first);
  else
    answer_say(out, "Google has no data of these days: they may lie before the property's first "
                    "data. A report by yearMonth over a longer period shows where it begins.");
}

void caveats_of_choice(struct answer_texts *out, const struct token *t, const char *property)
{
  if (t == NULL || t->choice == NULL || strncmp(property, "properties/", 11) != 0)
    return;
  if (strcmp(property + 11, t->property_ids[0]) == 0)
    answer_say(out, "%s", t->choice);
}

void notes_of_quota(struct answer_texts *out, const Analytics__Ga4__V1beta__PropertyQuota *q)
{
  if (q == NULL || q->tokens_per_day == NULL || q->tokens_per_hour == NULL)
    return;
  answer_say(out,
             "Quota of the property: this report cost %d tokens; left are %d today and %d this "
             "hour.",
             q->tokens_per_hour->consumed, q->tokens_per_day->remaining,
             q->tokens_per_hour->remaining);
  if (q->tokens_per_project_per_hour != NULL)
    answer_say(out, "Quota of this project at the property: %d tokens are left this hour.",
               q->tokens_per_project_per_hour->remaining);
}
