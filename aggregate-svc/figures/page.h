/* What kind of page a path is, and the path without what belongs to one vehicle or one visit.
 *
 * By words of the path alone, as dealer websites name their pages. Pure, thread-safe. */
#ifndef AMCP_AGGREGATE_PAGE_H
#define AMCP_AGGREGATE_PAGE_H

#include <stddef.h>

#include "aggregate-svc/vehicle/vehicle.h"

enum { PAGE_TEXT_MAX = 150 };

/* "home", "vehicle" (a page of one vehicle: in a folder of the inventory, with a model year or a
 * VIN), "list" (of vehicles), "service", "parts", "specials", "finance", "trade", "contact",
 * "other"; "(not set)" for "" and "(not set)"; "(other)" for Google's row of the rest. Static
 * text. */
const char *page_type(const char *path);
/* "Ford F-150" for a vehicle page whose path names one model of the catalogue, by the website's own
 * names first (NULL: it has none); else "". */
void page_model(const char *path, const struct vehicle_aliases *own, char *out, size_t size);
/* The path with VINs, ids and years folded: "/inventory/{vehicle}/new/ford-f-150" where the model
 * is known, else "/blog/{year}/{id}/tips"; lower case, without query. "" and "(not set)" are
 * "(not set)"; what is longer than PAGE_TEXT_MAX is "(other)". */
void page_template(const char *path, const struct vehicle_aliases *own,
                   char out[static PAGE_TEXT_MAX + 1]);

#endif
