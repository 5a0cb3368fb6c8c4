/* Resources and prompts of the catalogue, and the pages of apps. */
#include "gateway/bridge/offers.h"

#include <stdint.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/apps/apps.h"
#include "gateway/catalog/catalog.h"

/* The tool of a row of the catalogue; NULL when it is not listed. */
static const struct mcp_tool *listed(const struct mcp_tool_host *host, size_t index)
{
  for (size_t i = 0; i < host->n_tools; i++) {
    if (host->tools[i].data == &catalog_tools[index])
      return &host->tools[i];
  }
  return NULL;
}

static bool is_drawn_by(const struct mcp_tool_host *host, const struct app *app)
{
  for (size_t i = 0; i < host->n_tools; i++) {
    if (host->tools[i].app != NULL && strcmp(host->tools[i].app, app->uri) == 0)
      return true;
  }
  return false;
}

/* Pages behind the answers of tools that are listed. */
static size_t add_apps(const struct mcp_tool_host *host, struct mcp_resource *list)
{
  size_t n = 0;
  for (size_t i = 0; i < apps_len; i++) {
    if (is_drawn_by(host, &apps[i]))
      list[n++] = (struct mcp_resource){.uri = apps[i].uri,
                                        .name = apps[i].name,
                                        .title = apps[i].title,
                                        .description = apps[i].description,
                                        .mime_type = APP_MIME_TYPE,
                                        .content = apps[i].html};
  }
  return n;
}

static void add_resources(struct mcp_tool_host *host)
{
  struct mcp_resource *list = xcalloc(catalog_resources_len + apps_len + 1, sizeof(*list));
  for (size_t i = 0; i < catalog_resources_len; i++) {
    const struct catalog_resource *r = &catalog_resources[i];
    const struct mcp_tool *tool = listed(host, r->tool);
    if (tool != NULL)
      list[host->n_resources++] = (struct mcp_resource){.uri = r->uri,
                                                        .name = r->name,
                                                        .title = r->title,
                                                        .description = r->description,
                                                        .tool = tool,
                                                        .arguments = r->arguments_json};
  }
  host->n_resources += add_apps(host, list + host->n_resources);
  host->resources = list;
}

/* The place of a name in a list; -1 when it is not there. */
static int index_of(const cJSON *names, const char *name)
{
  int at = 0;
  const cJSON *one;
  cJSON_ArrayForEach(one, names)
  {
    if (cJSON_IsString(one) && strcmp(one->valuestring, name) == 0)
      return at;
    at++;
  }
  return -1;
}

/* The values of a column of a table {"columns": [names], "rows": [[values]]}. False: it has none of
 * that name. */
static bool add_column(const cJSON *table, const char *name,
                       void (*add)(void *arg, const char *value), void *arg)
{
  int column = index_of(cJSON_GetObjectItemCaseSensitive(table, "columns"), name);
  const cJSON *row;
  cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(table, "rows"))
  {
    const char *value = cJSON_GetStringValue(column < 0 ? NULL : cJSON_GetArrayItem(row, column));
    if (value != NULL && value[0] != '\0')
      add(arg, value);
  }
  return column >= 0;
}

/* An answer is a table, or has several, of which the first with the column counts. */
static void offers_complete(void *host, const struct mcp_completion *completion,
                            const struct mcp_tool_result *result,
                            void (*add)(void *arg, const char *value), void *arg)
{
  (void)host;
  const struct catalog_completion *c = completion->data;
  AUTO_JSON cJSON *answer = NULL;
  if (json_parse(&answer, result->structured, result->structured_len, NULL, NULL) != ERR_OK ||
      add_column(answer, c->column, add, arg))
    return;
  const cJSON *table;
  cJSON_ArrayForEach(table, answer)
  {
    if (add_column(table, c->column, add, arg))
      return;
  }
}

static struct mcp_prompt prompt_of(const struct catalog_prompt *p)
{
  struct mcp_prompt_argument *arguments = xcalloc(p->n_arguments + 1, sizeof(*arguments));
  for (size_t i = 0; i < p->n_arguments; i++)
    arguments[i] = (struct mcp_prompt_argument){.name = p->arguments[i].name,
                                                .description = p->arguments[i].description,
                                                .otherwise = p->arguments[i].otherwise};
  return (struct mcp_prompt){.name = p->name,
                             .title = p->title,
                             .description = p->description,
                             .text = p->text,
                             .arguments = arguments,
                             .n_arguments = p->n_arguments};
}

static void add_prompts(struct mcp_tool_host *host)
{
  struct mcp_prompt *list = xcalloc(catalog_prompts_len + 1, sizeof(*list));
  for (size_t i = 0; i < catalog_prompts_len; i++) {
    if (listed(host, catalog_prompts[i].tool) != NULL)
      list[host->n_prompts++] = prompt_of(&catalog_prompts[i]);
  }
  host->prompts = list;
}

static void add_completions(struct mcp_tool_host *host)
{
  struct mcp_completion *list = xcalloc(catalog_completions_len + 1, sizeof(*list));
  for (size_t i = 0; i < catalog_completions_len; i++) {
    const struct catalog_completion *c = &catalog_completions[i];
    const struct mcp_tool *tool = listed(host, c->tool);
    if (tool != NULL)
      list[host->n_completions++] = (struct mcp_completion){
          .argument = c->argument, .tool = tool, .arguments = c->arguments_json, .data = c};
  }
  host->completions = list;
  host->complete = offers_complete;
}

void offers_add(struct mcp_tool_host *host)
{
  add_completions(host);
  add_resources(host);
  add_prompts(host);
}

void offers_free(struct mcp_tool_host *host)
{
  for (size_t i = 0; i < host->n_prompts; i++)
    free((void *)(uintptr_t)host->prompts[i].arguments);
  free((void *)(uintptr_t)host->prompts);
  free((void *)(uintptr_t)host->completions);
  free((void *)(uintptr_t)host->resources);
}
