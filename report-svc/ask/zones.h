/* Time zones of properties, as their answers named them: what "yesterday" is there decides whether
 * two questions are the same. A small table whose entries replace one another. Thread-safe. */
#ifndef AMCP_REPORT_ZONES_H
#define AMCP_REPORT_ZONES_H

#include <stdbool.h>

enum { ZONE_SIZE = 48 };

struct zones;

struct zones *zones_new(void);
/* NULL is fine. */
void zones_free(struct zones *z);
/* `property`: digits. An empty or overlong name is not kept. */
void zones_learn(struct zones *z, const char *property, const char *zone);
/* "" when it is not known. */
void zones_find(struct zones *z, const char *property, char out[ZONE_SIZE]);

#endif
