/* Asks how the first dealer performs relative to its region. */
#include "gateway/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/post.h"

static const char usage[] =
    "Usage: gateway ask http://HOST:PORT/mcp\n\n"
    "Asks the endpoint \"How is a dealer performing relative to its region?\", for the first "
    "dealer\n"
    "there is, and prints the answer. MCP_TOKEN is the bearer token, if one is needed.\n\n"
    "Exit codes: 0 an answer with a headline came, 1 it did not, 2 wrong usage.\n";

static enum err_code connect_to(struct post_target *t, struct err *e)
{
  cJSON *answer = NULL;
  enum err_code code = post(
      &answer, t,
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
      "\"2025-06-18\",\"capabilities\":{},\"clientInfo\":{\"name\":\"gateway ask\",\"version\":"
      "\"" AMCP_VERSION "\"}}}",
      e);
  cJSON_Delete(answer);
  if (code != ERR_OK)
    return code;
  code = post(&answer, t, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", e);
  cJSON_Delete(answer);
  return code;
}

/* Calls a tool. *result is part of *answer. */
static enum err_code call(cJSON **answer, const cJSON **result, struct post_target *t,
                          const char *tool, const char *arguments, struct err *e)
{
  AUTO_FREE char *body = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\","
                                   "\"params\":{\"name\":\"%s\",\"arguments\":%s}}",
                                   tool, arguments);
  if (post(answer, t, body, e) != ERR_OK)
    return e->code;
  *result = cJSON_GetObjectItemCaseSensitive(*answer, "result");
  const cJSON *error = cJSON_GetObjectItemCaseSensitive(*answer, "error");
  const char *text = json_get_string(error, "message");
  if (*result != NULL && !json_get_bool(*result, "isError", false))
    return ERR_OK;
  const cJSON *content = cJSON_GetObjectItemCaseSensitive(*result, "content");
  if (text == NULL)
    text = json_get_string(cJSON_GetArrayItem(content, 0), "text");
  return err_set(e, ERR_UNAVAILABLE, "tool", "%s: %.400s", tool, text != NULL ? text : "no result");
}

/* The value in the first row of a table: {"columns": [names], "rows": [[values]]}. */
static const char *first_value(const cJSON *table, const char *column)
{
  const cJSON *columns = cJSON_GetObjectItemCaseSensitive(table, "columns");
  const cJSON *rows = cJSON_GetObjectItemCaseSensitive(table, "rows");
  const cJSON *value = cJSON_IsArray(cJSON_GetArrayItem(rows, 0)) ? rows->child->child : NULL;
  const cJSON *name;
  cJSON_ArrayForEach(name, columns)
  {
    if (value == NULL)
      return NULL;
    if (cJSON_IsString(name) && strcmp(name->valuestring, column) == 0)
      return cJSON_GetStringValue(value);
    value = value->next;
  }
  return NULL;
}

static enum err_code first_dealer(char *id, size_t size, struct post_target *t, struct err *e)
{
  AUTO_JSON cJSON *answer = NULL;
  const cJSON *result = NULL;
  enum err_code code = call(&answer, &result, t, "list_dealers", "{\"limit\":1}", e);
  if (code != ERR_OK)
    return code;
  const cJSON *content = cJSON_GetObjectItemCaseSensitive(result, "structuredContent");
  const char *found = first_value(content, "dealer_id");
  if (found == NULL || strpbrk(found, "\"\\") != NULL || strlen(found) >= size)
    return err_set(e, ERR_NOT_FOUND, "dealer", "list_dealers returned no dealer");
  snprintf(id, size, "%s", found);
  return ERR_OK;
}

/* Four whole weeks whose last day is finished in every time zone. */
static enum err_code compare(struct post_target *t, const char *dealer, struct err *e)
{
  AUTO_JSON cJSON *answer = NULL;
  const cJSON *result = NULL;
  int64_t today = clock_unix_ms() / 86400000;
  char from[16], to[16];
  clock_format_date(today - 30, from, sizeof(from));
  clock_format_date(today - 3, to, sizeof(to));
  AUTO_FREE char *arguments =
      xasprintf("{\"subject\":\"%s\",\"date_range\":{\"start_date\":\"%s\",\"end_date\":\"%s\"}}",
                dealer, from, to);
  if (call(&answer, &result, t, "compare_dealer_sessions", arguments, e) != ERR_OK)
    return e->code;
  const cJSON *content = cJSON_GetObjectItemCaseSensitive(result, "structuredContent");
  const char *headline = json_get_string(content, "headline");
  if (headline == NULL || *headline == '\0')
    return err_set(e, ERR_INTERNAL, "answer", "the answer has no headline");
  printf("%s\n", headline);
  return ERR_OK;
}

/* The bearer token, as a file or a Secret may hold it: with a line end. NULL for none. */
static enum err_code read_token(const char **token, struct err *e)
{
  char *text = getenv("MCP_TOKEN");
  size_t len = text != NULL ? strlen(text) : 0;
  while (len > 0 && strchr(" \r\n", text[len - 1]) != NULL)
    text[--len] = '\0';
  for (size_t i = 0; i < len; i++)
    if (text[i] <= ' ' || text[i] > '~')
      return err_set(e, ERR_INVALID_ARGUMENT, "token",
                     "MCP_TOKEN: holds a character that no bearer token has");
  *token = len > 0 ? text : NULL;
  return ERR_OK;
}

static int ask(const char *url)
{
  static struct post_target target;
  char dealer[256];
  struct err e = {0};
  if (read_token(&target.token, &e) == ERR_OK && post_target_set(&target, url, &e) == ERR_OK &&
      connect_to(&target, &e) == ERR_OK &&
      first_dealer(dealer, sizeof(dealer), &target, &e) == ERR_OK &&
      compare(&target, dealer, &e) == ERR_OK)
    return EXIT_OK;
  fprintf(stderr, "gateway ask: %s\n", e.message);
  return EXIT_FAILED;
}

bool gateway_ask(int argc, char **argv, int *exit_code)
{
  if (argc < 2 || strcmp(argv[1], "ask") != 0)
    return false;
  bool help = argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
  *exit_code = help ? EXIT_OK : EXIT_USAGE;
  if (help || argc != 3)
    fputs(usage, help ? stdout : stderr);
  else
    *exit_code = ask(argv[2]);
  return true;
}
