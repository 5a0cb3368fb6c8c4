/* The hash of every table: SipHash-1-3, keyed, so that strangers who choose the keys of a table
 * cannot choose which of them meet in one bucket.
 *
 * Values differ from process to process: never store, send or compare them elsewhere. What must be
 * the same everywhere is a SHA-256. All functions are thread-safe. */
#ifndef AMCP_BASE_HASH_H
#define AMCP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Under the key of this process, drawn from the system's randomness before main(). */
uint64_t hash_data(const void *data, size_t len);
uint64_t hash_text(const char *text);

/* Draws a key for hash_bytes(); ends the process when the system has no randomness. */
void hash_key_make(uint64_t key[2]);

/* Under a key of the caller's. `start` chains the parts of one value: give 0 for the first part
 * and the hash so far for each further one. */
uint64_t hash_bytes(const uint64_t key[2], const void *data, size_t len, uint64_t start);

#endif
