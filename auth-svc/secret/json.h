/* Wiping of parsed JSON that held secrets. */
#ifndef AMCP_AUTH_SECRET_JSON_H
#define AMCP_AUTH_SECRET_JSON_H

#include "common/base/json.h"

/* Overwrites every string value in a tree, whose depth json_parse() has bounded. NULL is fine. */
void json_wipe(cJSON *j);
/* Wipes and frees. */
static inline void json_wiped_cleanup(cJSON **j)
{
  json_wipe(*j);
  cJSON_Delete(*j);
}
#define AUTO_WIPED_JSON CLEANUP(json_wiped_cleanup)

#endif
