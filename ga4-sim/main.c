/* ga4-sim: options, world, server, run until a signal. */
#include <stdio.h>

#include "common/base/config.h"
#include "common/base/log.h"
#include "ga4-sim/options.h"
#include "ga4-sim/world.h"

int main(int argc, char **argv)
{
  struct options o;
  int code;
  if (!options_parse(&o, argc, argv, &code))
    return code;
  struct err e = {0};
  struct world *w;
  log_init("ga4-sim", LOG_LEVEL_INFO);
  if (world_open(&w, &o.world, o.fixed_today, o.db, &e) != ERR_OK) {
    fprintf(stderr, "ga4-sim: %s\n", e.message);
    return 1;
  }
  world_close(w);
  return 0;
}
