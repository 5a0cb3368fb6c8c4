/* Holds aliases and meanings of arguments to what gateway/arguments can read. */
#include "gateway/catalog/plugin/check_meaning.h"

#include <ctype.h>
#include <string.h>

#include "gateway/catalog/catalog.h"
#include "gateway/catalog/plugin/types.h"

static void problem(struct model *model, const struct field_info *field, const char *text,
                    const char *name)
{
  model_problem(model, &field->place, "field %s.%s: %s%s", field->owner->proto->name,
                field->proto->name, text, name);
}

static const char *skip_marks(const char *s)
{
  while (*s == '_' || *s == '-' || *s == ' ')
    s++;
  return s;
}

/* As callers' names are compared: without letter case, underscores, hyphens and blanks. */
static bool same_name(const char *a, const char *b)
{
  for (;; a++, b++) {
    a = skip_marks(a);
    b = skip_marks(b);
    if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
      return false;
    if (*a == '\0')
      return true;
  }
}

static bool has_alias(const struct field_info *field, const char *name)
{
  for (size_t i = 0; i < field->options->n_aliases; i++) {
    if (same_name(field->options->aliases[i], name))
      return true;
  }
  return false;
}

/* A name must lead to one field of the message. */
static void check_aliases(struct model *model, const struct field_info *field)
{
  const struct message_info *owner = field->owner;
  for (size_t k = 0; k < field->options->n_aliases; k++) {
    const char *alias = field->options->aliases[k];
    if (*skip_marks(alias) == '\0')
      problem(model, field, "an alias must have letters", "");
    for (size_t i = 0; i < owner->proto->n_field; i++) {
      const struct field_info *other = &owner->fields[i];
      if (same_name(other->proto->name, alias) || (other != field && has_alias(other, alias)))
        problem(model, field, "the alias names another field, too: ", alias);
    }
  }
}

static bool fits(const struct field_info *field)
{
  switch ((enum catalog_meaning)field->options->meaning) {
  case CATALOG_AS_TYPED:
    return true;
  case CATALOG_START_DATE:
  case CATALOG_END_DATE:
  case CATALOG_PROPERTY:
  case CATALOG_WORD:
  case CATALOG_EVENT:
    return field_kind(field) == KIND_STRING && !field->repeated;
  case CATALOG_DIMENSION:
  case CATALOG_METRIC:
  case CATALOG_DEALER:
    return field_kind(field) == KIND_STRING;
  case CATALOG_DIMENSION_FILTER:
  case CATALOG_METRIC_FILTER:
    return field_kind(field) == KIND_MESSAGE && !field->repeated;
  case CATALOG_ORDER:
    return field_kind(field) == KIND_MESSAGE && field->repeated;
  }
  return false;
}

static void check_other(struct model *model, const struct field_info *field, const char *name)
{
  for (size_t i = 0; i < field->owner->proto->n_field; i++) {
    if (strcmp(field->owner->fields[i].proto->name, name) == 0)
      return;
  }
  problem(model, field, "single_unless must name a field of the message: ", name);
}

static void check_single(struct model *model, const struct field_info *field, const char *name)
{
  const struct message_info *owner = field->owner;
  for (size_t i = 0; i < owner->proto->n_field; i++) {
    const struct field_info *other = &owner->fields[i];
    if (strcmp(other->proto->name, name) != 0)
      continue;
    if (field->repeated && !other->repeated && field->proto->type == other->proto->type)
      return;
  }
  problem(model, field, "single_as must name a field of one such value: ", name);
}

void check_meaning(struct model *model, const struct field_info *field)
{
  check_aliases(model, field);
  if (field->is_map || !fits(field))
    if (field->options->meaning != MCP__V1__MEANING__MEANING_UNSPECIFIED)
      problem(model, field, "the meaning does not fit the field's type; remove it", "");
  if (field->options->single_as[0] != '\0')
    check_single(model, field, field->options->single_as);
  for (size_t i = 0; i < field->options->n_single_unless; i++)
    check_other(model, field, field->options->single_unless[i]);
}
