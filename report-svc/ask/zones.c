/* Time zones of properties, one place for each hash. */
#include "report-svc/ask/zones.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "report-svc/request/request.h"

enum { PLACES = 1024 };

struct zones {
  pthread_mutex_t lock;
  struct {
    char property[REQUEST_PROPERTY_SIZE], zone[ZONE_SIZE];
  } places[PLACES];
};

struct zones *zones_new(void)
{
  struct zones *z = xcalloc(1, sizeof(*z));
  pthread_mutex_init(&z->lock, NULL);
  return z;
}

void zones_free(struct zones *z)
{
  if (z == NULL)
    return;
  pthread_mutex_destroy(&z->lock);
  free(z);
}

void zones_learn(struct zones *z, const char *property, const char *zone)
{
  size_t at = hash_text(property) % PLACES;
  if (zone[0] == '\0' || strlen(zone) >= ZONE_SIZE || strlen(property) >= REQUEST_PROPERTY_SIZE)
    return;
  pthread_mutex_lock(&z->lock);
  snprintf(z->places[at].property, sizeof(z->places[at].property), "%s", property);
  snprintf(z->places[at].zone, sizeof(z->places[at].zone), "%s", zone);
  pthread_mutex_unlock(&z->lock);
}

void zones_find(struct zones *z, const char *property, char out[ZONE_SIZE])
{
  size_t at = hash_text(property) % PLACES;
  out[0] = '\0';
  pthread_mutex_lock(&z->lock);
  if (strcmp(z->places[at].property, property) == 0)
    memcpy(out, z->places[at].zone, ZONE_SIZE);
  pthread_mutex_unlock(&z->lock);
}
