/* A list of files and the digests of what they held. */
#include "auth-svc/secret/read_files.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* From the end: dealers that share a file mostly follow one another. */
static bool has(const struct read_files *f, const char *path)
{
  for (size_t i = f->n; i-- > 0;)
    if (strcmp(f->items[i].path, path) == 0)
      return true;
  return false;
}

void read_files_add(struct read_files *f, const char *path, const char *text, size_t len)
{
  if (f->n == READ_FILES_MAX || has(f, path))
    return;
  if (f->n == f->capacity) {
    f->capacity = f->capacity == 0 ? 16 : 2 * f->capacity;
    f->items = xrealloc(f->items, f->capacity * sizeof(*f->items));
  }
  struct read_file *file = &f->items[f->n++];
  *file = (struct read_file){.path = xstrdup(path), .readable = text != NULL};
  if (text != NULL)
    sha256_of(text, len, file->digest);
}

void read_files_clear(struct read_files *f)
{
  for (size_t i = 0; i < f->n; i++)
    free(f->items[i].path);
  free(f->items);
  *f = (struct read_files){0};
}
