/* Resources, prompts and apps of tools. */
#include "gateway/catalog/plugin/check_offer.h"

#include <string.h>

#include "common/base/json.h"

static void check_resource(struct model *model, const struct method_info *method,
                           const Mcp__V1__Resource *r)
{
  AUTO_JSON cJSON *arguments = NULL;
  const char *text = r->arguments_json;
  if (strstr(r->uri, "://") == NULL)
    model_problem(model, &method->place, "tool %s: resource \"%s\": uri must be scheme://name",
                  method->tool->name, r->uri);
  if (r->name[0] == '\0' || r->title[0] == '\0' || r->description[0] == '\0')
    model_problem(model, &method->place, "tool %s: resource %s: give name, title and description",
                  method->tool->name, r->uri);
  if (text[0] != '\0' && (json_parse(&arguments, text, strlen(text), NULL, NULL) != ERR_OK ||
                          !cJSON_IsObject(arguments)))
    model_problem(model, &method->place,
                  "tool %s: resource %s: arguments_json must be a JSON object", method->tool->name,
                  r->uri);
}

static void check_completion(struct model *model, const struct method_info *method,
                             const Mcp__V1__Completion *c)
{
  AUTO_JSON cJSON *arguments = NULL;
  const char *text = c->arguments_json;
  if (c->n_of == 0 || c->column[0] == '\0')
    model_problem(model, &method->place, "tool %s: completions: give of and column",
                  method->tool->name);
  if (json_parse(&arguments, text, strlen(text), NULL, NULL) != ERR_OK ||
      !cJSON_IsObject(arguments) || strstr(text, "\"{value}\"") == NULL)
    model_problem(model, &method->place,
                  "tool %s: completions: arguments_json must be a JSON object with \"{value}\" in "
                  "it",
                  method->tool->name);
}

static bool has_argument(const Mcp__V1__Prompt *p, const char *name, size_t len)
{
  for (size_t i = 0; i < p->n_arguments; i++) {
    if (strlen(p->arguments[i]->name) == len && memcmp(p->arguments[i]->name, name, len) == 0)
      return true;
  }
  return false;
}

/* Every {name} of the text is an argument. */
static void check_text(struct model *model, const struct method_info *method,
                       const Mcp__V1__Prompt *p)
{
  for (const char *s = strchr(p->text, '{'); s != NULL; s = strchr(s + 1, '{')) {
    size_t len = strcspn(s + 1, "}");
    if (!has_argument(p, s + 1, len))
      model_problem(model, &method->place, "tool %s: prompt %s: {%.*s} is not an argument of it",
                    method->tool->name, p->name, (int)len, s + 1);
  }
}

static void check_prompt(struct model *model, const struct method_info *method,
                         const Mcp__V1__Prompt *p)
{
  if (!check_is_name(p->name))
    model_problem(model, &method->place,
                  "tool %s: bad prompt name \"%s\"; use a-z, 0-9 and _, a letter first",
                  method->tool->name, p->name);
  if (p->title[0] == '\0' || p->description[0] == '\0' || p->text[0] == '\0')
    model_problem(model, &method->place, "tool %s: prompt %s: give title, description and text",
                  method->tool->name, p->name);
  for (size_t i = 0; i < p->n_arguments; i++) {
    if (!check_is_name(p->arguments[i]->name) || p->arguments[i]->description[0] == '\0')
      model_problem(model, &method->place,
                    "tool %s: prompt %s: each argument needs a name of a-z, 0-9 and _, and a "
                    "description",
                    method->tool->name, p->name);
  }
  check_text(model, method, p);
}

static void check_app(struct model *model, const struct method_info *method)
{
  static const char scheme[] = "ui://";
  const char *app = method->tool->app;
  if (app[0] != '\0' && strncmp(app, scheme, sizeof(scheme) - 1) != 0)
    model_problem(model, &method->place, "tool %s: app \"%s\" must be ui://analytics/NAME",
                  method->tool->name, app);
}

/* Names that were met, each with the tool that has it. */
struct met {
  const char **names;
  size_t n;
};

static void check_once(struct met *met, struct model *model, const struct method_info *method,
                       const char *name)
{
  for (size_t i = 0; i < met->n; i++) {
    if (strcmp(met->names[i], name) == 0)
      model_problem(model, &method->place, "tool %s: %s is there already; choose another name",
                    method->tool->name, name);
  }
  met->names[met->n++] = name;
}

void check_offers(struct model *model, const struct tool *tools, size_t n)
{
  size_t all = 0;
  for (size_t t = 0; t < n; t++)
    all += tools[t].method->tool->n_resources + tools[t].method->tool->n_prompts;
  for (size_t t = 0; t < n; t++)
    for (size_t i = 0; i < tools[t].method->tool->n_completions; i++)
      check_completion(model, tools[t].method, tools[t].method->tool->completions[i]);
  struct met uris = {.names = ARENA_ARRAY(model->arena, const char *, all + 1)};
  struct met names = {.names = ARENA_ARRAY(model->arena, const char *, all + 1)};
  for (size_t t = 0; t < n; t++) {
    const struct method_info *method = tools[t].method;
    check_app(model, method);
    for (size_t i = 0; i < method->tool->n_resources; i++) {
      check_resource(model, method, method->tool->resources[i]);
      check_once(&uris, model, method, method->tool->resources[i]->uri);
    }
    for (size_t i = 0; i < method->tool->n_prompts; i++) {
      check_prompt(model, method, method->tool->prompts[i]);
      check_once(&names, model, method, method->tool->prompts[i]->name);
    }
  }
}
