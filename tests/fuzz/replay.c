/* Runs a fuzz target without a fuzzer: over the seeds named on the command line (files, or
 * folders of files), then over random changes of them. Keeps the targets compiled and tried
 * where clang's fuzzer is not installed. */
#include <dirent.h>
#include <sys/stat.h>

#include "common/base/backoff.h"
#include "tests/fuzz/fuzz.h"

enum {
  INPUT_BYTES_MAX = 1 << 20,
  MIN_SEEDS = 5, /* in a folder: fewer are too few for a fuzzer */
  MAX_SEEDS = 1000,
  MAX_CHANGED = 4096,
  ROUNDS = 3000
};

struct seed {
  uint8_t *data;
  size_t len;
};
static struct seed seeds[MAX_SEEDS];
static size_t n_seeds;

static void add_file(const char *path)
{
  FILE *f = fopen(path, "rb");
  if (f == NULL || n_seeds == MAX_SEEDS) {
    fprintf(stderr, "replay: cannot take %s\n", path);
    exit(1);
  }
  uint8_t *data = xmalloc(INPUT_BYTES_MAX);
  size_t len = fread(data, 1, INPUT_BYTES_MAX, f);
  fclose(f);
  seeds[n_seeds++] = (struct seed){xrealloc(data, len > 0 ? len : 1), len};
}

static void add_folder(const char *path)
{
  struct dirent **names;
  size_t before = n_seeds;
  int n = scandir(path, &names, NULL, alphasort);
  for (int i = 0; i < n; i++) {
    AUTO_FREE char *file = xasprintf("%s/%s", path, names[i]->d_name);
    if (names[i]->d_name[0] != '.')
      add_file(file);
    free(names[i]);
  }
  if (n >= 0)
    free(names);
  if (n_seeds - before < MIN_SEEDS) {
    fprintf(stderr, "replay: %s: %zu seeds; a target needs %d\n", path, n_seeds - before,
            MIN_SEEDS);
    exit(1);
  }
}

static void add(const char *path)
{
  struct stat s;
  if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
    add_folder(path);
  else
    add_file(path);
}

static void change(uint8_t *data, size_t *len)
{
  for (uint64_t n = 1 + random_below(4); n > 0 && *len > 2; n--) {
    size_t at = random_below(*len);
    switch (random_below(3)) {
    case 0:
      data[at] = (uint8_t)random_below(256);
      break;
    case 1: /* leaves a byte out */
      memmove(data + at, data + at + 1, *len - at - 1);
      --*len;
      break;
    default: /* copies another byte of the input */
      data[at] = data[random_below(*len)];
    }
  }
}

static void run(const uint8_t *bytes, size_t len, bool changed)
{
  uint8_t *data = xmalloc(len > 0 ? len : 1);
  if (len > 0)
    memcpy(data, bytes, len);
  if (changed)
    change(data, &len);
  data = xrealloc(data, len > 0 ? len : 1); /* the sanitizer sees a read beyond the input */
  LLVMFuzzerTestOneInput(data, len);
  free(data);
}

int main(int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    add(argv[i]);
  if (n_seeds == 0) {
    fprintf(stderr, "Usage: %s SEED... (files, or folders of files)\n", argv[0]);
    return 1;
  }
  for (size_t i = 0; i < n_seeds; i++)
    run(seeds[i].data, seeds[i].len, false);
  for (size_t i = 0; i < ROUNDS; i++)
    if (seeds[i % n_seeds].len <= MAX_CHANGED)
      run(seeds[i % n_seeds].data, seeds[i % n_seeds].len, true);
  printf("%zu seeds, up to %d changes of them\n", n_seeds, ROUNDS);
  for (size_t i = 0; i < n_seeds; i++)
    free(seeds[i].data);
  return 0;
}
