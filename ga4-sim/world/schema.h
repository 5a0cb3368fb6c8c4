/* DDL of the world's database. */
#ifndef GA4_SIM_SCHEMA_H
#define GA4_SIM_SCHEMA_H

/* Raise when the tables or the way they are filled change: a database of another
 * version is replaced. */
enum { SCHEMA_VERSION = 5 };

extern const char schema_tables[];
/* Made after the load, which is faster. */
extern const char schema_indices[];

#endif
