/* DDL of the world's database. */
#ifndef GA4_SIM_SCHEMA_H
#define GA4_SIM_SCHEMA_H

/* Raise when the tables or the way they are filled change: a database of another
 * version is replaced. */
enum { SCHEMA_VERSION = 7 };

extern const char schema_tables[];
/* Made before the load: rows come by property and day, so the trees grow at their end, and no sort
 * holds them all in memory. */
extern const char schema_indices[];
/* Made last: a database that lacks them was not finished. */
extern const char schema_views[];

#endif
