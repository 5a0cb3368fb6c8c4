/* A table of files and the digests of what they held. */
#include "auth-svc/secret/read_files.h"

void read_files_init(struct table *t)
{
  table_init(t, sizeof(struct read_file), READ_FILES_MAX, NULL, NULL);
}

void read_files_add(struct table *t, const char *path, const char *text, size_t len)
{
  if (t->order.n == READ_FILES_MAX || table_peek(t, TABLE_TEXT(path), 0) != NULL)
    return;
  struct read_file *file = table_make(t, TABLE_TEXT(path));
  file->readable = text != NULL;
  if (text != NULL)
    sha256_of(text, len, file->digest);
}
