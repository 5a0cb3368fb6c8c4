/* Look-ups in the field catalogue. */
#include "ga4-sim/report/fields.h"

#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

const struct field *field_at(bool metric, size_t i)
{
  if (metric)
    return i < metric_fields.count ? &metric_fields.rows[i] : NULL;
  if (i < dimension_fields.count)
    return &dimension_fields.rows[i];
  i -= dimension_fields.count;
  return i < traffic_fields.count ? &traffic_fields.rows[i] : NULL;
}

static const struct field *find(bool metric, const char *name)
{
  const struct field *f;
  for (size_t i = 0; (f = field_at(metric, i)) != NULL; i++)
    if (strcmp(f->api_name, name) == 0 ||
        (f->deprecated != NULL && strcmp(f->deprecated, name) == 0))
      return f;
  return NULL;
}

const struct field *dimension_field_find(const char *name)
{
  return find(false, name);
}

const struct field *metric_field_find(const char *name)
{
  return find(true, name);
}

bool field_groups_compatible(enum field_group a, enum field_group b)
{
  if (a == b || a == GROUP_COMMON || b == GROUP_COMMON)
    return true;
  return (a == GROUP_EVENT && b == GROUP_ITEM) || (a == GROUP_ITEM && b == GROUP_EVENT);
}

bool dimension_custom_sql(const struct world_property *p, const char *name, struct buf *sql,
                          unsigned *needs)
{
  static const char prefix[] = "customEvent:";
  if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
    return false;
  const char *parameter = name + sizeof(prefix) - 1;
  if (!world_has_dimension(p, parameter))
    return false;
  *needs |= NEED_EVENTS;
  /* An event without the parameter reads "(not set)". */
  if (strcmp(parameter, "department") == 0)
    return buf_puts(sql, "COALESCE(e.department,'(not set)')");
  if (strcmp(parameter, "comm_type") == 0)
    return buf_puts(sql, "COALESCE(e.comm_type,'(not set)')");
  if (strcmp(parameter, "page_type") == 0) {
    *needs |= NEED_PAGES;
    return buf_puts(sql, "COALESCE(CASE WHEN substr(e.name,1,4)='asc_' THEN p.page_type END,"
                         "'(not set)')");
  }
  *needs |= NEED_VEHICLES;
  return buf_printf(sql, "COALESCE(v.%s,'(not set)')", parameter);
}

/* Levenshtein distance, given up above 3. */
static unsigned distance(const char *a, const char *b)
{
  enum { MAX = 48 };
  size_t n = strlen(a), m = strlen(b);
  if (n > MAX || m > MAX)
    return 99;
  unsigned row[MAX + 1];
  for (size_t j = 0; j <= m; j++)
    row[j] = (unsigned)j;
  for (size_t i = 1; i <= n; i++) {
    unsigned diagonal = row[0];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= m; j++) {
      unsigned best = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      if (row[j] + 1 < best)
        best = row[j] + 1;
      if (row[j - 1] + 1 < best)
        best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[m];
}

const char *field_suggestion(const char *name, bool metric)
{
  const struct field *f;
  const char *best = NULL;
  unsigned nearest = 3; /* at most two letters off */
  for (size_t i = 0; (f = field_at(metric, i)) != NULL; i++) {
    unsigned d = strcasecmp(f->api_name, name) == 0 ? 0 : distance(f->api_name, name);
    if (d < nearest) {
      nearest = d;
      best = f->api_name;
    }
  }
  return best;
}
