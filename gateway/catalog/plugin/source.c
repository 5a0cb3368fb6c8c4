/* Finds the SourceCodeInfo of an element and unwraps its comment. */
#include "gateway/catalog/plugin/source.h"

#include <string.h>

#include "common/base/mem.h"

typedef Google__Protobuf__SourceCodeInfo__Location Location;

enum { COMMENT_BYTES = 64 * 1024 };

static const Location *find_location(const struct place *place)
{
  const Google__Protobuf__SourceCodeInfo *info = place->file->source_code_info;
  for (size_t i = 0; info != NULL && i < info->n_location; i++) {
    const Location *at = info->location[i];
    if (at->n_path == place->len &&
        memcmp(at->path, place->path, place->len * sizeof(*place->path)) == 0)
      return at;
  }
  return NULL;
}

static const char *trim_start(const char *s)
{
  return s + strspn(s, " \t");
}

/* Length of a line without the blanks at its end. */
static size_t trimmed_length(const char *line, size_t len)
{
  while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
    len--;
  return len;
}

const char *source_unwrap(struct arena *arena, const char *comment)
{
  AUTO_BUF struct buf out = BUF_INIT(COMMENT_BYTES);
  bool gap = false;
  while (*comment != '\0') {
    const char *line = trim_start(comment);
    const char *end = strchrnul(line, '\n');
    size_t len = trimmed_length(line, (size_t)(end - line));
    comment = *end == '\0' ? end : end + 1;
    if (len == 0) {
      gap = true;
      continue;
    }
    if (out.len > 0 && gap)
      buf_puts(&out, "\n\n");
    else if (out.len > 0)
      buf_putc(&out, strncmp(line, "- ", 2) == 0 ? '\n' : ' ');
    buf_append(&out, line, len);
    gap = false;
  }
  return arena_strdup(arena, buf_str(&out));
}

struct place source_child(struct arena *arena, const struct place *parent, int32_t number,
                          int32_t index)
{
  int32_t *path = ARENA_ARRAY(arena, int32_t, parent->len + 2);
  if (parent->len > 0)
    memcpy(path, parent->path, parent->len * sizeof(*path));
  path[parent->len] = number;
  path[parent->len + 1] = index;
  struct place place = {.file = parent->file, .path = path, .len = parent->len + 2, .comment = ""};
  const Location *at = find_location(&place);
  if (at == NULL)
    return place;
  place.line = at->n_span > 0 ? at->span[0] + 1 : 0;
  if (at->leading_comments != NULL)
    place.comment = source_unwrap(arena, at->leading_comments);
  else if (at->trailing_comments != NULL)
    place.comment = source_unwrap(arena, at->trailing_comments);
  return place;
}
