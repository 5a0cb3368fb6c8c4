/* Questions back to the person (2026-07-28: results of type input_required).
 *
 * Nothing is kept between question and answer: what the client has to bring back is sealed and says
 * whose request it belongs to, which one, and when it was asked. Any replica takes it; from another
 * principal, with another request, or too late it is refused. */
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/mcp/internal.h"
#include "gateway/mcp/result.h"
#include "gateway/seal/digest.h"
#include "gateway/seal/token.h"

#define USE "mcp-question/v1"

enum { LIFE_MS = 10 * 60 * 1000, FACTS_BYTES = 8 + MCP_PRINCIPAL_HASH + MCP_REQUEST_DIGEST };

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

static void put_facts(uint8_t facts[FACTS_BYTES], const struct mcp_call *call, int64_t asked_ms)
{
  for (int i = 0; i < 8; i++)
    facts[i] = (uint8_t)((uint64_t)asked_ms >> (56 - 8 * i));
  mcp_principal_hash(facts + 8, call->exchange->principal->id);
  memcpy(facts + 8 + MCP_PRINCIPAL_HASH, call->digest, MCP_REQUEST_DIGEST);
}

static bool state_holds(const struct mcp_call *call, const char *state)
{
  struct mcp_server *s = call->exchange->server;
  uint8_t facts[FACTS_BYTES], wanted[FACTS_BYTES], salt[TOKEN_SALT_BYTES];
  if (!token_open(s->options.session_keys, USE, state, facts, sizeof(facts), salt))
    return false;
  uint64_t asked = 0;
  for (int i = 0; i < 8; i++)
    asked = asked << 8 | facts[i];
  put_facts(wanted, call, (int64_t)asked);
  int64_t age = s->unix_ms() - (int64_t)asked;
  return memcmp(facts, wanted, sizeof(facts)) == 0 && age < LIFE_MS;
}

bool mcp_question_begin(struct mcp_call *call)
{
  const cJSON *state = cJSON_GetObjectItemCaseSensitive(call->params, "requestState");
  const cJSON *answers = cJSON_GetObjectItemCaseSensitive(call->params, "inputResponses");
  if (!mcp_version_rules(call->version)->results_say_kind ||
      (call->can & MCP_CLIENT_ELICITATION) == 0)
    return true;
  make_digest(call);
  call->may_ask = true;
  if (state == NULL)
    return true;
  if (!cJSON_IsString(state) || !state_holds(call, state->valuestring)) {
    mcp_call_error(call, JSONRPC_INVALID_PARAMS,
                   "params.requestState is not the one of this request, or too old: send the "
                   "request again without it",
                   NULL);
    return false;
  }
  /* Whoever was asked once is not asked again. */
  call->may_ask = !cJSON_IsObject(answers);
  call->answers = cJSON_IsObject(answers) ? answers : NULL;
  return true;
}

bool mcp_call_may_ask(const struct mcp_call *call)
{
  return call->may_ask;
}

enum mcp_answer mcp_call_answer(const struct mcp_call *call, const char *key, const char **value)
{
  const cJSON *answer = cJSON_GetObjectItemCaseSensitive(call->answers, key);
  const char *action = json_get_string(answer, "action");
  *value = NULL;
  if (action == NULL)
    return MCP_NO_ANSWER;
  if (strcmp(action, "accept") == 0)
    *value = json_get_string(cJSON_GetObjectItemCaseSensitive(answer, "content"), key);
  return *value != NULL ? MCP_ANSWERED : MCP_DECLINED;
}

static void put_member(struct buf *out, const char *key, const char *value)
{
  buf_printf(out, "\"%s\":", key);
  buf_put_json_string(out, value, strlen(value));
}

static void put_request(struct buf *out, const struct mcp_question *q)
{
  buf_printf(out, "\"%s\":{\"method\":\"elicitation/create\",\"params\":{\"mode\":\"form\",",
             q->key);
  put_member(out, "message", q->message);
  buf_printf(
      out,
      ",\"requestedSchema\":{\"type\":\"object\",\"properties\":{\"%s\":{\"type\":\"string\","
      "\"oneOf\":[",
      q->key);
  for (size_t i = 0; i < q->n; i++) {
    buf_puts(out, i > 0 ? ",{" : "{");
    put_member(out, "const", q->choices[i].value);
    buf_putc(out, ',');
    put_member(out, "title", q->choices[i].title);
    buf_putc(out, '}');
  }
  buf_printf(out, "]}},\"required\":[\"%s\"]}}}", q->key);
}

void mcp_call_ask(struct mcp_call *call, const struct mcp_question *q)
{
  MAGIC_CHECK(call, MCP_CALL_MAGIC);
  struct mcp_server *s = call->exchange->server;
  struct buf json AUTO_BUF = BUF_INIT(256 * 1024);
  uint8_t facts[FACTS_BYTES], salt[TOKEN_SALT_BYTES];
  put_facts(facts, call, s->unix_ms());
  buf_puts(&json, "{\"inputRequests\":{");
  put_request(&json, q);
  buf_puts(&json, "},\"requestState\":\"");
  token_seal(s->options.session_keys, USE, facts, sizeof(facts), salt, &json);
  buf_puts(&json, "\"}");
  mcp_call_settle_question(call, &json);
}
