/* Questions back to the person behind the client, and their answers.
 *
 * A session's client is sent a request of its own (elicit.c). From 2026-07-28 on the result itself
 * asks (type input_required), and nothing is kept between question and answer: what the client has
 * to bring back is sealed and says whose request it belongs to, which one, and when it was asked.
 * Answers of earlier rounds travel in it, as text that the seal covers. Any replica takes it; from
 * another principal, with another request, or too late it is refused. */
#include <string.h>

#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/mcp/internal.h"
#include "gateway/mcp/result.h"
#include "gateway/seal/digest.h"
#include "gateway/seal/token.h"

#define USE "mcp-question/v2"

enum {
  LIFE_MS = 10 * 60 * 1000,
  FACTS_BYTES = 8 + MCP_PRINCIPAL_HASH + MCP_REQUEST_DIGEST,
  CARRIED_MAX = 32 * 1024, /* answers of earlier rounds, as JSON */
};

/* ------------------------------------------------------------------ state */

/* Everything of a request that its repetition has in common with it. */
static void make_digest(struct mcp_call *call)
{
  cJSON *params = cJSON_Duplicate(call->params, true);
  static const char *const of_the_round[] = {"_meta", "inputResponses", "requestState"};
  for (size_t i = 0; i < ARRAY_LEN(of_the_round); i++)
    cJSON_DeleteItemFromObjectCaseSensitive(params, of_the_round[i]);
  AUTO_FREE char *text = cJSON_PrintUnformatted(params);
  cJSON_Delete(params);
  AUTO_FREE char *whole = xasprintf("%s\n%s", call->method->name, text != NULL ? text : "");
  digest(call->digest, whole, strlen(whole));
}

/* carried: the answers that the state brings along, as text. */
static void put_facts(uint8_t facts[FACTS_BYTES], const struct mcp_call *call, int64_t asked_ms,
                      const char *carried)
{
  uint8_t *request = facts + 8 + MCP_PRINCIPAL_HASH;
  for (int i = 0; i < 8; i++)
    facts[i] = (uint8_t)((uint64_t)asked_ms >> (56 - 8 * i));
  mcp_principal_hash(facts + 8, call->exchange->principal);
  memcpy(request, call->digest, MCP_REQUEST_DIGEST);
  if (carried[0] == '\0')
    return;
  struct buf both AUTO_BUF = BUF_INIT(2 * CARRIED_MAX);
  buf_append(&both, call->digest, MCP_REQUEST_DIGEST);
  buf_puts(&both, carried);
  digest(request, both.data, both.len);
}

static bool state_holds(const struct mcp_call *call, const char *sealed, const char *carried)
{
  struct mcp_server *s = call->exchange->server;
  uint8_t facts[FACTS_BYTES], wanted[FACTS_BYTES], salt[TOKEN_SALT_BYTES];
  if (!token_open(s->options.session_keys, USE, sealed, facts, sizeof(facts), salt))
    return false;
  uint64_t asked = 0;
  for (int i = 0; i < 8; i++)
    asked = asked << 8 | facts[i];
  put_facts(wanted, call, (int64_t)asked, carried);
  int64_t age = s->unix_ms() - (int64_t)asked;
  return memcmp(facts, wanted, sizeof(facts)) == 0 && age < LIFE_MS;
}

/* A state is sealed facts, or facts, a dot and base64url of the answers of earlier rounds, which
 * become the call's. */
static bool open_state(struct mcp_call *call, const char *state)
{
  const char *dot = strchr(state, '.');
  struct buf carried AUTO_BUF = BUF_INIT(CARRIED_MAX);
  if (dot == NULL)
    return state_holds(call, state, "");
  AUTO_FREE char *sealed = xstrndup(state, (size_t)(dot - state));
  return base64_decode(&carried, dot + 1, strlen(dot + 1)) && carried.len > 0 &&
         strlen(buf_str(&carried)) == carried.len && state_holds(call, sealed, buf_str(&carried)) &&
         json_parse(&call->answers, buf_str(&carried), carried.len, NULL, NULL) == ERR_OK;
}

static bool put_state(struct buf *out, const struct mcp_call *call)
{
  struct mcp_server *s = call->exchange->server;
  uint8_t facts[FACTS_BYTES], salt[TOKEN_SALT_BYTES];
  AUTO_FREE char *carried =
      call->answers != NULL ? cJSON_PrintUnformatted(call->answers) : xstrdup("");
  if (carried == NULL || strlen(carried) > CARRIED_MAX)
    return false;
  put_facts(facts, call, s->unix_ms(), carried);
  bool sealed = token_seal(s->options.session_keys, USE, facts, sizeof(facts), salt, out);
  if (carried[0] == '\0')
    return sealed;
  buf_putc(out, '.');
  return sealed && base64url_encode(out, carried, strlen(carried));
}

/* ---------------------------------------------------------------- answers */

void mcp_question_add_answer(struct mcp_call *call, const char *key, cJSON *answer)
{
  if (call->answers == NULL)
    call->answers = cJSON_CreateObject();
  cJSON_DeleteItemFromObjectCaseSensitive(call->answers, key);
  if (!cJSON_AddItemToObject(call->answers, key, answer))
    cJSON_Delete(answer);
}

static bool refuse_state(struct mcp_call *call)
{
  mcp_call_error(call, JSONRPC_INVALID_PARAMS,
                 "params.requestState is not the one of this request, or too old: send the "
                 "request again without it",
                 NULL);
  return false;
}

static bool begin_modern(struct mcp_call *call, bool without_state)
{
  const cJSON *state = cJSON_GetObjectItemCaseSensitive(call->params, "requestState");
  const cJSON *given = cJSON_GetObjectItemCaseSensitive(call->params, "inputResponses"), *one;
  make_digest(call);
  call->may_ask = true;
  if (state != NULL && !(cJSON_IsString(state) && open_state(call, state->valuestring)))
    return refuse_state(call);
  if (state == NULL && !without_state)
    return true; /* answers that nobody asked for */
  cJSON_ArrayForEach(one, given)
  {
    if (cJSON_IsObject(given) && cJSON_IsObject(one))
      mcp_question_add_answer(call, one->string, cJSON_Duplicate(one, true));
  }
  return true;
}

bool mcp_question_begin(struct mcp_call *call, bool without_state)
{
  const struct mcp_exchange *x = call->exchange;
  if ((call->can & MCP_CLIENT_ELICITATION) == 0)
    return true;
  if (mcp_version_era(call->version) == MCP_ERA_MODERN)
    return begin_modern(call, without_state);
  /* The question is an event of the answer's stream; it came with 2025-06-18. */
  call->may_ask = x->server->options.asks_in_sessions && call->session != NULL && x->accepts_sse &&
                  !x->batch && call->version >= MCP_2025_06_18;
  return true;
}

bool mcp_call_may_ask(const struct mcp_call *call)
{
  return call->may_ask;
}

bool mcp_call_has_answers(const struct mcp_call *call)
{
  return call->answers != NULL;
}

enum mcp_answer mcp_call_form(const struct mcp_call *call, const char *key, const cJSON **form)
{
  const cJSON *answer = cJSON_GetObjectItemCaseSensitive(call->answers, key);
  const char *action = json_get_string(answer, "action");
  *form = NULL;
  if (action == NULL)
    return MCP_NO_ANSWER;
  const cJSON *content = cJSON_GetObjectItemCaseSensitive(answer, "content");
  if (strcmp(action, "accept") == 0 && cJSON_IsObject(content))
    *form = content;
  return *form != NULL ? MCP_ANSWERED : MCP_DECLINED;
}

enum mcp_answer mcp_call_answer(const struct mcp_call *call, const char *key, const char **value)
{
  const cJSON *form;
  enum mcp_answer answer = mcp_call_form(call, key, &form);
  *value = json_get_string(form, key);
  return answer == MCP_ANSWERED && *value == NULL ? MCP_DECLINED : answer;
}

/* ----------------------------------------------------------------- asking */

static void put_member(struct buf *out, const char *key, const char *value)
{
  buf_printf(out, "\"%s\":", key);
  buf_put_json_string(out, value, strlen(value));
}

/* Titles beside the values came with 2025-11-25. */
static void put_titled(struct buf *out, const struct mcp_question *q)
{
  buf_puts(out, "\"oneOf\":[");
  for (size_t i = 0; i < q->n; i++) {
    buf_puts(out, i > 0 ? ",{" : "{");
    put_member(out, "const", q->choices[i].value);
    buf_putc(out, ',');
    put_member(out, "title", q->choices[i].title);
    buf_putc(out, '}');
  }
  buf_putc(out, ']');
}

static void put_named(struct buf *out, const struct mcp_question *q)
{
  static const char *const members[] = {"\"enum\":[", "],\"enumNames\":["};
  for (size_t k = 0; k < ARRAY_LEN(members); k++) {
    buf_puts(out, members[k]);
    for (size_t i = 0; i < q->n; i++) {
      const char *text = k == 0 ? q->choices[i].value : q->choices[i].title;
      if (i > 0)
        buf_putc(out, ',');
      buf_put_json_string(out, text, strlen(text));
    }
  }
  buf_putc(out, ']');
}

/* The params of elicitation/create. */
static void put_params(struct buf *out, const struct mcp_question *q, enum mcp_version version)
{
  buf_puts(out, version >= MCP_2025_11_25 ? "{\"mode\":\"form\"," : "{");
  put_member(out, "message", q->message);
  buf_puts(out, ",\"requestedSchema\":");
  if (q->schema != NULL) {
    buf_puts(out, q->schema);
  } else {
    buf_printf(out, "{\"type\":\"object\",\"properties\":{\"%s\":{\"type\":\"string\",", q->key);
    (version >= MCP_2025_11_25 ? put_titled : put_named)(out, q);
    buf_printf(out, "}},\"required\":[\"%s\"]}", q->key);
  }
  buf_putc(out, '}');
}

static bool asks_without_state(const struct mcp_call *call)
{
  return call->tool != NULL && call->tool->asks_without_state;
}

/* The questions as a result. */
static void ask_modern(struct mcp_call *call, const struct mcp_question *questions, size_t n)
{
  struct buf json AUTO_BUF = BUF_INIT(256 * 1024);
  const char *before = "{\"inputRequests\":{";
  for (size_t i = 0; i < n; i++) {
    if (cJSON_HasObjectItem(call->answers, questions[i].key))
      continue;
    buf_printf(&json, "%s\"%s\":{\"method\":\"elicitation/create\",\"params\":", before,
               questions[i].key);
    put_params(&json, &questions[i], call->version);
    buf_putc(&json, '}');
    before = ",";
  }
  bool asks = json.len > 0, sealed = true;
  buf_putc(&json, '}');
  if (!asks_without_state(call)) {
    buf_puts(&json, ",\"requestState\":\"");
    sealed = put_state(&json, call);
    buf_putc(&json, '"');
  }
  buf_putc(&json, '}');
  if (asks && sealed && !json.failed)
    mcp_call_settle_question(call, &json);
  else
    mcp_call_error(call, JSONRPC_INTERNAL_ERROR, "There is nothing left to ask", NULL);
}

void mcp_call_ask(struct mcp_call *call, const struct mcp_question *questions, size_t n)
{
  MAGIC_CHECK(call, MCP_CALL_MAGIC);
  if (mcp_version_era(call->version) == MCP_ERA_MODERN) {
    ask_modern(call, questions, n);
    return;
  }
  while (n > 0 && cJSON_HasObjectItem(call->answers, questions->key)) {
    questions++;
    n--;
  }
  if (n == 0) {
    mcp_call_error(call, JSONRPC_INTERNAL_ERROR, "There is nothing left to ask", NULL);
    return;
  }
  struct buf params AUTO_BUF = BUF_INIT(256 * 1024);
  put_params(&params, questions, call->version);
  mcp_elicit(call, questions->key, &params);
}
