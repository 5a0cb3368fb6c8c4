/* Standard error in a file of its own. */
#include "tests/unit/gateway/kept_log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"

static int file = -1, before = -1;

void kept_log_begin(void)
{
  char path[] = "/tmp/gateway-log-XXXXXX";
  file = mkstemp(path);
  before = dup(2);
  if (file < 0 || before < 0 || unlink(path) != 0 || dup2(file, 2) < 0)
    abort();
}

void kept_log_end(struct buf *text)
{
  char part[4096];
  ssize_t n;
  dup2(before, 2);
  close(before);
  lseek(file, 0, SEEK_SET);
  while ((n = read(file, part, sizeof(part))) > 0)
    buf_append(text, part, (size_t)n);
  close(file);
}

static bool has_all(const char *line, const char *const *parts)
{
  while (*parts != NULL && strstr(line, *parts) != NULL)
    parts++;
  return *parts == NULL;
}

size_t kept_log_count(const struct buf *text, const char *const *parts)
{
  AUTO_FREE char *copy = xstrdup(buf_str(text));
  char *rest = copy, *line;
  size_t n = 0;
  while ((line = strsep(&rest, "\n")) != NULL)
    n += *line != '\0' && has_all(line, parts);
  return n;
}
