/* Field names in both cases, map detection, and how close a wrong name is to one. */
#include "common/pbjson/names.h"

#include <string.h>

#include "common/base/nearest.h"

enum { GUESS_BYTES = 64 };

/* Names of fields are ASCII. */
static char upper(char c)
{
  return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

bool name_matches(const char *field, const char *key)
{
  if (field[0] != key[0] && field[0] != '_')
    return false; /* both spellings begin alike */
  if (strcmp(field, key) == 0)
    return true;
  bool raise = false;
  for (; *field != '\0'; field++) {
    if (*field == '_') {
      raise = true;
      continue;
    }
    if (*key++ != (raise ? upper(*field) : *field))
      return false;
    raise = false;
  }
  return *key == '\0';
}

bool name_put_camel(struct buf *out, const char *field)
{
  bool raise = false;
  char *at = buf_reserve(out, strlen(field));
  if (at == NULL)
    return false;
  for (; *field != '\0'; field++) {
    if (*field != '_')
      *at++ = raise ? upper(*field) : *field;
    raise = *field == '_';
  }
  *at = '\0';
  out->len = (size_t)(at - out->data);
  return true;
}

const ProtobufCFieldDescriptor *name_find_field(const ProtobufCMessageDescriptor *message,
                                                const char *key)
{
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(message, key);
  for (unsigned i = 0; field == NULL && i < message->n_fields; i++) {
    if (name_matches(message->fields[i].name, key))
      field = &message->fields[i];
  }
  return field;
}

/* Whether name is "<Field>Entry" for a field: "labels_by_id" gives "LabelsByIdEntry". */
static bool is_entry_name(const char *name, const char *field)
{
  bool raise = true;
  for (; *field != '\0'; field++) {
    if (*field == '_') {
      raise = true;
      continue;
    }
    if (*name++ != (raise ? upper(*field) : *field))
      return false;
    raise = false;
  }
  return strcmp(name, "Entry") == 0;
}

bool name_is_map(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field)
{
  if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE)
    return false;
  const ProtobufCMessageDescriptor *entry = field->descriptor;
  if (entry->n_fields != 2 || strcmp(entry->fields[0].name, "key") != 0 ||
      strcmp(entry->fields[1].name, "value") != 0)
    return false;
  size_t outer = strlen(message->name);
  return strncmp(entry->name, message->name, outer) == 0 && entry->name[outer] == '.' &&
         is_entry_name(entry->name + outer + 1, field->name);
}

/* The text without underscores; returns its length. */
static size_t fold(const char *s, char out[GUESS_BYTES + 1])
{
  size_t n = 0;
  for (; *s != '\0' && n < GUESS_BYTES; s++) {
    if (*s != '_')
      out[n++] = *s;
  }
  out[n] = '\0';
  return n;
}

unsigned name_distance(const char *word, const char *field)
{
  char a[GUESS_BYTES + 1], b[GUESS_BYTES + 1];
  size_t na = fold(word, a), nb = fold(field, b);
  unsigned distance = nearest_distance(a, b);
  return distance * 3 <= (na > nb ? na : nb) ? distance : NEAREST_FAR;
}
