/* The pages, with the names under which they are read. */
#include "gateway/apps/apps.h"

#include <string.h>

#include "common/base/mem.h"
#include "gateway/apps/pages.h"

const struct app apps[] = {
    {.uri = "ui://analytics/bars",
     .name = "bars",
     .title = "Bars beside a benchmark",
     .description = "Draws comparisons, scorecards and shares: a bar per row, a tick where the "
                    "benchmark is, and the interval of what chance allows. For hosts with MCP "
                    "Apps.",
     .html = app_page_bars},
    {.uri = "ui://analytics/lines",
     .name = "lines",
     .title = "Lines beside the region",
     .description = "Draws trends over weeks or months beside the region, and shares before and "
                    "after. For hosts with MCP Apps.",
     .html = app_page_lines},
};
const size_t apps_len = ARRAY_LEN(apps);

const struct app *app_find(const char *uri)
{
  for (size_t i = 0; i < apps_len; i++) {
    if (strcmp(apps[i].uri, uri) == 0)
      return &apps[i];
  }
  return NULL;
}
