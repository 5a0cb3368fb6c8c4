/* Field names in both cases, map detection, and guesses at what a wrong name meant. */
#include "common/pbjson/names.h"

#include <ctype.h>
#include <string.h>

enum { GUESS_BYTES = 64 };

static char upper(char c)
{
  return (char)toupper((unsigned char)c);
}

bool name_matches(const char *field, const char *key)
{
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
  bool ok = true;
  for (; *field != '\0'; field++) {
    if (*field == '_') {
      raise = true;
      continue;
    }
    char c = raise ? upper(*field) : *field;
    ok = buf_putc(out, c);
    raise = false;
  }
  return ok;
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

/* Lower case without underscores; returns the length, at most GUESS_BYTES. */
static size_t fold(const char *s, char out[GUESS_BYTES])
{
  size_t n = 0;
  for (; *s != '\0' && n < GUESS_BYTES; s++) {
    if (*s != '_')
      out[n++] = (char)tolower((unsigned char)*s);
  }
  return n;
}

static size_t min3(size_t a, size_t b, size_t c)
{
  size_t m = a < b ? a : b;
  return m < c ? m : c;
}

/* Levenshtein distance of two folded words. */
static size_t edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
  size_t row[GUESS_BYTES + 1];
  for (size_t j = 0; j <= nb; j++)
    row[j] = j;
  for (size_t i = 1; i <= na; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= nb; j++) {
      size_t above = row[j];
      row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
      diagonal = above;
    }
  }
  return row[nb];
}

static bool starts_with(const char *s, size_t n, const char *prefix, size_t np)
{
  return np >= 3 && n >= np && memcmp(s, prefix, np) == 0;
}

void name_guess_offer(struct name_guess *guess, const char *word, const char *candidate)
{
  char a[GUESS_BYTES];
  char b[GUESS_BYTES];
  size_t na = fold(word, a);
  size_t nb = fold(candidate, b);
  size_t distance = edit_distance(a, na, b, nb);
  /* A third of the letters may differ; the start or the end of a name is close, too. */
  size_t longer = na > nb ? na : nb;
  bool ends = na >= 3 && nb > na && memcmp(b + nb - na, a, na) == 0;
  bool part = starts_with(b, nb, a, na) || starts_with(a, na, b, nb) || ends;
  if (distance * 3 > longer && !part)
    return;
  if (guess->best == NULL || distance < guess->distance) {
    guess->best = candidate;
    guess->distance = distance;
  }
}
