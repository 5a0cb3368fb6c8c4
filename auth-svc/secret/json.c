/* Wiping of parsed JSON that held secrets. */
#include "auth-svc/secret/json.h"

#include <string.h>

#include "common/base/mem.h"

void json_wipe(cJSON *j)
{
  for (; j != NULL; j = j->next) {
    if (cJSON_IsString(j))
      mem_wipe(j->valuestring, strlen(j->valuestring));
    json_wipe(j->child);
  }
}
