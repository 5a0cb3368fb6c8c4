/* Writes tools and rules as C tables over protobuf-c's descriptors. */
#include "gateway/catalog/plugin/emit.h"

#include <ctype.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/number.h"
#include "gateway/catalog/plugin/schema.h"

enum { LITERAL_LINE = 88, SCHEMA_BYTES = 1 << 20 };

/* One piece of a string literal ends after LITERAL_LINE bytes, at a character's border. */
static void put_literal(struct buf *out, const char *s)
{
  size_t column = 0;
  buf_puts(out, "\"");
  for (; *s != '\0'; s++) {
    bool starts = ((unsigned char)*s & 0xC0) != 0x80;
    if (column >= LITERAL_LINE && starts) {
      buf_puts(out, "\"\n        \"");
      column = 0;
    }
    if (*s == '\n')
      buf_puts(out, "\\n");
    else if (*s == '"' || *s == '\\')
      buf_printf(out, "\\%c", *s);
    else
      buf_putc(out, *s);
    column++;
  }
  buf_puts(out, "\"");
}

/* protobuf-c's name of a descriptor: parts of the full name in snake_case, joined by "__"
 * (protobuf-c, protoc-c/c_helpers.cc, FullNameToLower and CamelToLower). */
static void put_symbol(struct buf *out, const char *full_name)
{
  bool was_upper = true;
  for (; *full_name != '\0'; full_name++) {
    if (*full_name == '.') {
      buf_puts(out, "__");
      was_upper = true;
      continue;
    }
    bool upper = isupper((unsigned char)*full_name) != 0;
    if (upper && !was_upper)
      buf_putc(out, '_');
    buf_putc(out, (char)tolower((unsigned char)*full_name));
    was_upper = upper;
  }
  buf_puts(out, "__descriptor");
}

static void put_flag(struct buf *out, const char *name, bool set)
{
  if (set)
    buf_printf(out, "     .%s = true,\n", name);
}

static void put_text_member(struct buf *out, const char *name, const char *text)
{
  buf_printf(out, "     .%s =\n        ", name);
  put_literal(out, text);
  buf_puts(out, ",\n");
}

static void put_descriptor(struct buf *out, const char *name, const char *full_name)
{
  buf_printf(out, "     .%s = &", name);
  put_symbol(out, full_name);
  buf_puts(out, ",\n");
}

static void put_schema(struct buf *out, const struct model *model, const char *name,
                       const struct message_info *message)
{
  AUTO_BUF struct buf schema = BUF_INIT(SCHEMA_BYTES);
  schema_put(&schema, model, message);
  if (schema.failed)
    out->failed = true;
  put_text_member(out, name, buf_str(&schema));
}

static void put_count(struct buf *out, const char *name, uint32_t count)
{
  if (count > 0)
    buf_printf(out, "     .%s = %u,\n", name, count);
}

static void put_tool(struct buf *out, const struct model *model, const struct tool *tool)
{
  const struct method_info *method = tool->method;
  const Mcp__V1__Tool *options = method->tool;
  buf_printf(out, "    {.name = \"%s\",\n", options->name);
  put_text_member(out, "title", options->title);
  put_text_member(out, "description", method->place.comment);
  put_schema(out, model, "input_schema", method->input);
  put_flag(out, "read_only", options->read_only);
  put_flag(out, "idempotent", options->idempotent);
  put_flag(out, "destructive", options->destructive);
  put_flag(out, "open_world", options->open_world);
  if (options->timeout_ms > 0)
    buf_printf(out, "     .timeout_ms = %u,\n", options->timeout_ms);
  put_count(out, "max_text_bytes", options->max_text_bytes);
  put_count(out, "toolset", options->toolset);
  if (options->app[0] != '\0')
    put_text_member(out, "app", options->app);
  put_descriptor(out, "service", method->service_name);
  buf_printf(out, "     .method = \"%s\",\n", method->proto->name);
  put_flag(out, "streaming", method->proto->server_streaming);
  put_descriptor(out, "input", method->input->name);
  put_descriptor(out, "response", method->output->name);
  put_descriptor(out, "output", tool->output->name);
  buf_puts(out, "    },\n");
}

static void put_number_member(struct buf *out, const char *name, double value)
{
  buf_printf(out, "     .has_%s = true,\n     .%s = ", name, name);
  number_put_double(out, value);
  buf_puts(out, ",\n");
}

/* Texts and their number: .aliases and .n_aliases. */
static void put_texts(struct buf *out, const char *name, const char *count, char *const *texts,
                      size_t n)
{
  if (n == 0)
    return;
  buf_printf(out, "     .%s = (const char *const[]){", name);
  for (size_t i = 0; i < n; i++) {
    buf_puts(out, i > 0 ? ", " : "");
    put_literal(out, texts[i]);
  }
  buf_printf(out, "},\n     .%s = %zu,\n", count, n);
}

static void put_rule(struct buf *out, const struct field_info *field)
{
  const Mcp__V1__Field *o = field->options;
  buf_puts(out, "    {.message = &");
  put_symbol(out, field->owner->name);
  buf_printf(out, ",\n     .field = \"%s\",\n", field->proto->name);
  put_flag(out, "required", o->required);
  put_flag(out, "hidden", o->hidden);
  if (o->default_json[0] != '\0')
    put_text_member(out, "default_json", o->default_json);
  if (o->opt_minimum_case == MCP__V1__FIELD__OPT_MINIMUM_MINIMUM)
    put_number_member(out, "minimum", o->minimum);
  if (o->opt_maximum_case == MCP__V1__FIELD__OPT_MAXIMUM_MAXIMUM)
    put_number_member(out, "maximum", o->maximum);
  put_count(out, "min_items", o->min_items);
  put_count(out, "max_items", o->max_items);
  put_count(out, "max_length", o->max_length);
  put_count(out, "meaning", o->meaning);
  if (o->single_as[0] != '\0')
    put_text_member(out, "single_as", o->single_as);
  put_texts(out, "aliases", "n_aliases", o->aliases, o->n_aliases);
  put_texts(out, "single_unless", "n_single_unless", o->single_unless, o->n_single_unless);
  put_texts(out, "examples_json", "n_examples", o->examples_json, o->n_examples_json);
  buf_puts(out, "    },\n");
}

enum side { INPUTS, OUTPUTS };

/* Messages of all inputs or all outputs, each once. The caller frees the array. */
static const struct message_info **messages_of(const struct model *model, const struct tool *tools,
                                               size_t n, enum side side, size_t *count)
{
  const struct message_info **all = xcalloc(model->n_messages + 1, sizeof(*all));
  *count = 0;
  for (size_t t = 0; t < n; t++) {
    size_t found = 0;
    const struct message_info **list =
        side == INPUTS ? check_input_messages(model, tools[t].method->input, &found)
                       : check_output_messages(model, tools[t].output, &found);
    for (size_t i = 0; i < found; i++) {
      size_t k = 0;
      while (k < *count && all[k] != list[i])
        k++;
      if (k == *count)
        all[(*count)++] = list[i];
    }
  }
  return all;
}

static void put_rules(struct buf *out, const struct model *model, const struct tool *tools,
                      size_t n)
{
  size_t count = 0;
  size_t rules = 0;
  AUTO_FREE const struct message_info **messages = messages_of(model, tools, n, INPUTS, &count);
  buf_puts(out, "const struct catalog_rule catalog_rules[] = {\n");
  for (size_t m = 0; m < count; m++) {
    for (size_t i = 0; i < messages[m]->proto->n_field; i++) {
      if (!messages[m]->fields[i].has_options)
        continue;
      put_rule(out, &messages[m]->fields[i]);
      rules++;
    }
  }
  if (rules == 0)
    buf_puts(out, "    {.field = NULL},\n");
  buf_printf(out, "};\nconst size_t catalog_rules_len = %zu;\n", rules);
}

static void put_answer_field(struct buf *out, const struct field_info *field)
{
  const Mcp__V1__Field *o = field->options;
  buf_puts(out, "    {.message = &");
  put_symbol(out, field->owner->name);
  buf_printf(out, ",\n     .field = \"%s\",\n", field->proto->name);
  buf_printf(out, "     .part = %d,\n     .format = %d,\n", (int)o->part, (int)o->format);
  if (o->named_by[0] != '\0')
    buf_printf(out, "     .named_by = \"%s\",\n", o->named_by);
  if (o->text_in[0] != '\0')
    buf_printf(out, "     .text_in = \"%s\",\n", o->text_in);
  buf_puts(out, "    },\n");
}

static bool is_answer_field(const struct field_info *field)
{
  const Mcp__V1__Field *o = field->options;
  return field->has_options &&
         (o->part != MCP__V1__PART__PART_UNSPECIFIED ||
          o->format != MCP__V1__FORMAT__FORMAT_UNSPECIFIED || o->named_by[0] != '\0' ||
          o->text_in[0] != '\0');
}

static void put_answer_fields(struct buf *out, const struct model *model, const struct tool *tools,
                              size_t n)
{
  size_t count = 0;
  size_t fields = 0;
  AUTO_FREE const struct message_info **messages = messages_of(model, tools, n, OUTPUTS, &count);
  buf_puts(out, "\nconst struct catalog_answer_field catalog_answer_fields[] = {\n");
  for (size_t m = 0; m < count; m++) {
    for (size_t i = 0; i < messages[m]->proto->n_field; i++) {
      if (!is_answer_field(&messages[m]->fields[i]))
        continue;
      put_answer_field(out, &messages[m]->fields[i]);
      fields++;
    }
  }
  if (fields == 0)
    buf_puts(out, "    {.field = NULL},\n");
  buf_printf(out, "};\nconst size_t catalog_answer_fields_len = %zu;\n", fields);
}

/* Headers of the files whose descriptors the tables name. */
static void put_includes(struct buf *out, const struct model *model, const struct tool *tools,
                         size_t n)
{
  size_t count = 0;
  AUTO_FREE const struct message_info **messages = messages_of(model, tools, n, INPUTS, &count);
  size_t max = count + 3 * n;
  AUTO_FREE const FileProto **files = xcalloc(max + 1, sizeof(*files));
  size_t n_files = 0;
  for (size_t i = 0; i < max; i++) {
    const struct tool *tool = i < count ? NULL : &tools[(i - count) / 3];
    const FileProto *file = i < count              ? messages[i]->place.file
                            : (i - count) % 3 == 0 ? tool->method->place.file
                            : (i - count) % 3 == 1 ? tool->method->output->place.file
                                                   : tool->output->place.file;
    size_t k = 0;
    while (k < n_files && files[k] != file)
      k++;
    if (k < n_files)
      continue;
    files[n_files++] = file;
    size_t stem = strlen(file->name) - strlen(".proto");
    buf_printf(out, "#include <%.*s.pb-c.h>\n", (int)stem, file->name);
  }
}

static void put_resources(struct buf *out, const struct tool *tools, size_t n)
{
  size_t found = 0;
  buf_puts(out, "\nconst struct catalog_resource catalog_resources[] = {\n");
  for (size_t t = 0; t < n; t++) {
    const Mcp__V1__Tool *o = tools[t].method->tool;
    for (size_t i = 0; i < o->n_resources; i++, found++) {
      const Mcp__V1__Resource *r = o->resources[i];
      buf_printf(out, "    {.tool = %zu,\n", t);
      put_text_member(out, "uri", r->uri);
      put_text_member(out, "name", r->name);
      put_text_member(out, "title", r->title);
      put_text_member(out, "description", r->description);
      put_text_member(out, "arguments_json",
                      r->arguments_json[0] != '\0' ? r->arguments_json : "{}");
      buf_puts(out, "    },\n");
    }
  }
  if (found == 0)
    buf_puts(out, "    {.uri = NULL},\n");
  buf_printf(out, "};\nconst size_t catalog_resources_len = %zu;\n", found);
}

static void put_prompt(struct buf *out, const Mcp__V1__Prompt *p, size_t tool)
{
  buf_printf(out, "    {.tool = %zu,\n", tool);
  put_text_member(out, "name", p->name);
  put_text_member(out, "title", p->title);
  put_text_member(out, "description", p->description);
  put_text_member(out, "text", p->text);
  if (p->n_arguments > 0)
    buf_puts(out, "     .arguments = (const struct catalog_prompt_argument[]){\n");
  for (size_t i = 0; i < p->n_arguments; i++) {
    buf_puts(out, "    {\n");
    put_text_member(out, "name", p->arguments[i]->name);
    put_text_member(out, "description", p->arguments[i]->description);
    put_text_member(out, "otherwise", p->arguments[i]->otherwise);
    buf_puts(out, "    },\n");
  }
  if (p->n_arguments > 0)
    buf_printf(out, "     },\n     .n_arguments = %zu,\n", p->n_arguments);
  buf_puts(out, "    },\n");
}

static void put_prompts(struct buf *out, const struct tool *tools, size_t n)
{
  size_t found = 0;
  buf_puts(out, "\nconst struct catalog_prompt catalog_prompts[] = {\n");
  for (size_t t = 0; t < n; t++) {
    const Mcp__V1__Tool *o = tools[t].method->tool;
    for (size_t i = 0; i < o->n_prompts; i++, found++)
      put_prompt(out, o->prompts[i], t);
  }
  if (found == 0)
    buf_puts(out, "    {.name = NULL},\n");
  buf_printf(out, "};\nconst size_t catalog_prompts_len = %zu;\n", found);
}

static size_t put_completion(struct buf *out, const Mcp__V1__Completion *c, size_t tool)
{
  for (size_t i = 0; i < c->n_of; i++) {
    buf_printf(out, "    {.tool = %zu,\n", tool);
    put_text_member(out, "argument", c->of[i]);
    put_text_member(out, "arguments_json", c->arguments_json);
    put_text_member(out, "column", c->column);
    buf_puts(out, "    },\n");
  }
  return c->n_of;
}

static void put_completions(struct buf *out, const struct tool *tools, size_t n)
{
  size_t found = 0;
  buf_puts(out, "\nconst struct catalog_completion catalog_completions[] = {\n");
  for (size_t t = 0; t < n; t++) {
    const Mcp__V1__Tool *o = tools[t].method->tool;
    for (size_t i = 0; i < o->n_completions; i++)
      found += put_completion(out, o->completions[i], t);
  }
  if (found == 0)
    buf_puts(out, "    {.argument = NULL},\n");
  buf_printf(out, "};\nconst size_t catalog_completions_len = %zu;\n", found);
}

void emit_catalog(struct buf *out, const struct model *model, const struct tool *tools, size_t n)
{
  buf_puts(out, "/* The tool catalogue. Generated by protoc-gen-mcp from the .proto files; do not "
                "edit. */\n");
  put_includes(out, model, tools, n);
  buf_puts(out, "\n#include \"gateway/catalog/catalog.h\"\n\n");
  buf_puts(out, "const struct catalog_tool catalog_tools[] = {\n");
  for (size_t i = 0; i < n; i++)
    put_tool(out, model, &tools[i]);
  buf_printf(out, "};\nconst size_t catalog_tools_len = %zu;\n\n", n);
  put_rules(out, model, tools, n);
  put_answer_fields(out, model, tools, n);
  put_resources(out, tools, n);
  put_prompts(out, tools, n);
  put_completions(out, tools, n);
}
