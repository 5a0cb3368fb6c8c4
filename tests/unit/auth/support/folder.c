/* Folders of a test's own. */
#include "tests/unit/auth/support/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"

char *folder_make(void)
{
  char *path = xstrdup("/tmp/auth-test-XXXXXX");
  if (mkdtemp(path) == NULL)
    abort();
  return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
  (void)st;
  (void)type;
  (void)ftw;
  return remove(path);
}

void folder_remove(const char *path)
{
  nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void folder_write(const char *folder, const char *name, const char *text)
{
  AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, 0600) != 0)
    abort();
}

void folder_replace(const char *folder, const char *name, const char *text)
{
  AUTO_FREE char *temporary = xasprintf("%s.tmp", name);
  AUTO_FREE char *from = xasprintf("%s/%s", folder, temporary);
  AUTO_FREE char *to = xasprintf("%s/%s", folder, name);
  folder_write(folder, temporary, text);
  if (rename(from, to) != 0)
    abort();
}
