/* fake_backend: the services the gateway's tests talk to, as a program.
 *
 * Prints its port, then serves until standard input ends, so that it never outlives the
 * test that started it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rpc/rpc.h"
#include "tests/e2e/mcp/fake_backend.h"

int main(int argc, char **argv)
{
  uint16_t port = argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 0;
  bool open = argc > 2 && strcmp(argv[2], "open") == 0;
  rpc_init();
  struct fake_backend *f = fake_backend_start(port, open);
  if (f == NULL)
    return 1;
  printf("%u\n", fake_backend_port(f));
  fflush(stdout);
  while (getchar() != EOF)
    ;
  fake_backend_stop(f);
  rpc_shutdown();
  return 0;
}
