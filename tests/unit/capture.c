/* Standard output and standard error of the cases, in a file in memory. */
#include "tests/unit/capture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN = 256 * 1024, BEFORE_REPORT = 2048 };

static int file = -1;
static FILE *results;
static off_t mark;

int capture_begin(void)
{
  int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  file = memfd_create("output of the cases", MFD_CLOEXEC);
  if (out < 0 || file < 0 || (results = fdopen(out, "w")) == NULL)
    return -1;
  setvbuf(results, NULL, _IOLBF, 0);
  /* Several processes may write: each at the end. */
  if (fcntl(file, F_SETFL, O_APPEND) != 0 || dup2(file, STDOUT_FILENO) < 0 ||
      dup2(file, STDERR_FILENO) < 0)
    return -1;
  return 0;
}

FILE *capture_results(void)
{
  return results != NULL ? results : stdout;
}

static off_t end_of_file(void)
{
  struct stat s;
  return fstat(file, &s) == 0 ? s.st_size : 0;
}

void capture_mark(void)
{
  fflush(NULL);
  if (file >= 0)
    mark = end_of_file();
}

static void show_from(off_t from)
{
  char block[4096];
  off_t end = end_of_file();
  if (end - from > SHOWN) {
    fprintf(results, "    [%lld bytes before this are left out]\n",
            (long long)(end - SHOWN - from));
    from = end - SHOWN;
  }
  for (ssize_t n; from < end && (n = pread(file, block, sizeof(block), from)) > 0; from += n)
    fwrite(block, 1, (size_t)n, results);
  fflush(results);
}

void capture_show(void)
{
  if (file >= 0)
    show_from(mark);
}

void capture_show_report(void)
{
  off_t end = end_of_file(), from = 0;
  if (file < 0 || end == 0)
    return;
  char *all = mmap(NULL, (size_t)end, PROT_READ, MAP_SHARED, file, 0);
  const char *report = all != MAP_FAILED ? memmem(all, (size_t)end, "Sanitizer", 9) : NULL;
  if (report != NULL && report - all > BEFORE_REPORT)
    from = report - all - BEFORE_REPORT;
  if (report != NULL && end - from > SHOWN) /* the first report, not the log behind it */
    fwrite(all + from, 1, SHOWN, results);
  else
    show_from(from);
  fflush(results);
  if (all != MAP_FAILED)
    munmap(all, (size_t)end);
}
