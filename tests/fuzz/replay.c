/* Runs a fuzz target without a fuzzer: over the files named on the command line, or over
 * random changes of a few seeds. Keeps the targets compiled and tried where clang's fuzzer
 * is not installed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/backoff.h"
#include "common/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT = 1 << 20, ROUNDS = 30000 };

static const char *const seeds[] = {
    "\x01\x02{\"rows\":[{\"dimensionValues\":[{\"value\":\"a\\u00e9\\ud83d\\ude00\"}],"
    "\"metricValues\":[{\"value\":\"1\"},{\"value\":2.5e3}]},{\"dimensionValues\":[{\"value\":"
    "\"b\"}"
    "],\"metricValues\":[{\"value\":\"3\"},{}]}],\"rowCount\":2,\"x\":{\"y\":[1,null,true]}}",
    "\x01\x20{\"dimensionHeaders\":[{\"name\":\"date\"}],\"rows\": [ { \"metricValues\" : [ ] , "
    "\"future\" : \"\xc3\xa9\xe2\x82\xac\" } ] }",
};

static void replay_file(const char *path)
{
  FILE *f = fopen(path, "rb");
  if (f == NULL) {
    perror(path);
    exit(1);
  }
  AUTO_FREE uint8_t *data = xmalloc(MAX_INPUT);
  size_t n = fread(data, 1, MAX_INPUT, f);
  fclose(f);
  LLVMFuzzerTestOneInput(data, n);
}

static void mutate(uint8_t *data, size_t *len)
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

int main(int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    replay_file(argv[i]);
  for (int i = 0; argc == 1 && i < ROUNDS; i++) {
    const char *seed = seeds[i % (int)ARRAY_LEN(seeds)];
    size_t len = strlen(seed);
    AUTO_FREE uint8_t *data = xmalloc(len);
    memcpy(data, seed, len);
    mutate(data, &len);
    data[0] = (uint8_t)random_below(2);
    data = xrealloc(data, len); /* the sanitizer sees a read beyond the input */
    LLVMFuzzerTestOneInput(data, len);
  }
  return 0;
}
