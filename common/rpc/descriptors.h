/* The .proto files built into the program, for reflection. Private to common/rpc. */
#ifndef AMCP_RPC_DESCRIPTORS_H
#define AMCP_RPC_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct descriptors;

/* Reads the descriptor set that the build has put into the program. */
struct descriptors *descriptors_new(void);
void descriptors_free(struct descriptors *d);

enum { DESCRIPTORS_NONE = -1 };

/* Index of a file by name, or by what it declares: message, enum, enum value, service,
 * method, field or extension by full name; DESCRIPTORS_NONE when there is none. */
int descriptors_by_name(const struct descriptors *d, const char *name);
int descriptors_by_symbol(const struct descriptors *d, const char *symbol);
/* The file that declares extension `number` of a message type. */
int descriptors_by_extension(const struct descriptors *d, const char *type, int32_t number);
/* Puts up to max extension numbers of a type into out; returns how many there are. */
size_t descriptors_extensions_of(const struct descriptors *d, const char *type, int32_t *out,
                                 size_t max);
/* Marks a file and all that it imports; marked has descriptors_count() elements. */
void descriptors_mark(const struct descriptors *d, int file, bool *marked);
size_t descriptors_count(const struct descriptors *d);
/* The serialized FileDescriptorProto. */
const uint8_t *descriptors_bytes(const struct descriptors *d, size_t file, size_t *len);

#endif
