/* SearchFields: dimensions and metrics of a property by words, from its metadata. */
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "common/ga4/additive.h"
#include "report-svc/answer/fields.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/target.h"
#include "report-svc/ask/serve.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Report__V1__SearchFieldsRequest tool_request;
typedef Analytics__Report__V1__SearchFieldsResponse tool_response;
typedef Analytics__Report__V1__FieldFound row_message;

enum { DEFAULT_LIMIT = 20, LIMIT_MAX = 500 };

static enum err_code question(struct ask_options *out, const ProtobufCMessage *message,
                              struct arena *arena, struct err *e)
{
  const tool_request *r = (const tool_request *)message;
  if (r->limit < 0 || r->limit > LIMIT_MAX)
    return err_set(e, ERR_INVALID_ARGUMENT, "limit", "limit: give 1 to %d, got %d", LIMIT_MAX,
                   r->limit);
  if (r->offset < 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "offset", "offset: must not be negative, got %d",
                   r->offset);
  return ask_about_property(out, message, arena, e);
}

static const char *adds(const struct field_match *m)
{
  if (m->kind == GA4_DIMENSION)
    return "";
  switch (additive_kind(m->api_name)) {
  case ADDITIVE_YES:
    return "yes";
  case ADDITIVE_CURRENCY:
    return "in one currency";
  default:
    return "no";
  }
}

/* The names stay Google's; the rest is static. */
static row_message *row_of(const struct field_match *m, struct arena *arena)
{
  row_message *row = ARENA_NEW(arena, row_message);
  if (row == NULL)
    return NULL;
  analytics__report__v1__field_found__init(row);
  row->api_name = (char *)(uintptr_t)m->api_name;
  row->kind = (char *)(uintptr_t)(m->kind == GA4_METRIC ? "metric" : "dimension");
  row->ui_name = (char *)(uintptr_t)m->ui_name;
  row->scope = (char *)(uintptr_t)field_scope(m->api_name);
  row->adds_over_dealers = (char *)(uintptr_t)adds(m);
  if (m->former != NULL)
    row->former_name = (char *)(uintptr_t)m->former;
  row->custom = m->custom;
  row->meaning = (char *)(uintptr_t)m->meaning;
  return row;
}

static bool put_page(tool_response *out, const struct field_matches *found, const tool_request *r,
                     struct arena *arena)
{
  size_t limit = r->limit > 0 ? (size_t)r->limit : DEFAULT_LIMIT;
  size_t first = (size_t)r->offset < found->n ? (size_t)r->offset : found->n;
  size_t n = found->n - first < limit ? found->n - first : limit;
  out->total = (int32_t)found->n;
  out->next_offset = first + n < found->n ? (int32_t)(first + n) : 0;
  out->fields = ARENA_ARRAY(arena, row_message *, n);
  for (size_t i = 0; out->fields != NULL && i < n; i++) {
    out->fields[i] = row_of(&found->items[first + i], arena);
    if (out->fields[i] == NULL)
      return false;
    out->n_fields++;
  }
  return out->fields != NULL;
}

static bool put_note(tool_response *out, const struct field_matches *found, const tool_request *r,
                     struct arena *arena)
{
  if (!found->closest)
    return true;
  out->notes = ARENA_ARRAY(arena, char *, 1);
  char *note =
      found->n > 0
          ? arena_printf(arena, "No field has all of \"%.128s\": these are the closest", r->query)
          : arena_printf(arena,
                         "No field is like \"%.128s\": try another word, or an empty "
                         "query for all",
                         r->query);
  if (out->notes == NULL || note == NULL)
    return false;
  out->notes[out->n_notes++] = note;
  return true;
}

static bool put_headline(tool_response *out, const struct ask *a, const struct field_matches *found,
                         const tool_request *r, struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  const char *kind = r->kind == ANALYTICS__REPORT__V1__FIELD_KIND__DIMENSION ? "dimension"
                     : r->kind == ANALYTICS__REPORT__V1__FIELD_KIND__METRIC  ? "metric"
                                                                             : "field";
  size_t n = found->closest ? 0 : found->n;
  headline_put_dealer(&text, ask_used_token(a), ask_property(a));
  buf_printf(&text, " has %zu %s%s%s", n, r->custom_only ? "custom " : "", kind,
             headline_s((int64_t)n));
  if (r->query[0] != '\0')
    buf_printf(&text, " for \"%.128s\"", r->query);
  if (n > 0 && r->query[0] != '\0' && out->n_fields > 0)
    buf_printf(&text, ", %s first", out->fields[0]->api_name);
  return answer_put_headline(&out->base, &text, arena);
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  const tool_request *r = (const tool_request *)request;
  struct field_matches found;
  const struct field_search search = {
      .query = r->query,
      .kinds = r->kind == ANALYTICS__REPORT__V1__FIELD_KIND__DIMENSION ? GA4_DIMENSION
               : r->kind == ANALYTICS__REPORT__V1__FIELD_KIND__METRIC  ? GA4_METRIC
                                                                       : GA4_EITHER,
      .custom_only = r->custom_only};
  tool_response *out = (tool_response *)answer_new_message(
      &analytics__report__v1__search_fields_response__descriptor, a, arena);
  bool whole = out != NULL &&
               fields_search(&found, (const Analytics__Ga4__V1beta__Metadata *)ask_message(a),
                             &search, arena) &&
               put_page(out, &found, r, arena) && put_note(out, &found, r, arena) &&
               put_headline(out, a, &found, r, arena);
  return whole ? &out->base : NULL;
}

void search_fields_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_GET_METADATA, .question = question, .reply = reply};
  ask_serve(call, request, service, &tool);
}
