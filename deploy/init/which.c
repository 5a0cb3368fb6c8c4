/* The laptop image's one program file: the four services and what starts them. The name it is
 * called by says which of them it is. */
#include <string.h>

#include "deploy/init/which.h"

static const struct {
  const char *name;
  int (*main)(int argc, char **argv);
} programs[] = {
    {"auth-svc", auth_svc_main},
    {"report-svc", report_svc_main},
    {"aggregate-svc", aggregate_svc_main},
    {"gateway", gateway_main},
};

int main(int argc, char **argv)
{
  const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
  const char *name = slash != NULL ? slash + 1 : argc > 0 ? argv[0] : "";
  for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
    if (strcmp(name, programs[i].name) == 0)
      return programs[i].main(argc, argv);
  return analytics_mcp_main(argc, argv);
}
