/* A relay between a client and a server on loopback that a test can cut or hold: to the client it
 * is a server that dies, or one that hangs with its connections open. Plain TCP; one thread. */
#ifndef AMCP_TESTS_RELAY_H
#define AMCP_TESTS_RELAY_H

#include <stdbool.h>
#include <stdint.h>

struct relay;

/* Listens on a free port of 127.0.0.1 and passes what comes to target_port there and back. Asserts
 * that it works. */
struct relay *relay_start(uint16_t target_port);
uint16_t relay_port(const struct relay *r);
/* Ends all connections. New ones are taken as before. */
void relay_cut(struct relay *r);
/* Passes nothing on, and accepts no connection (the kernel still does), until let go. */
void relay_hold(struct relay *r, bool hold);
/* Bytes passed from clients since the start. */
uint64_t relay_bytes(const struct relay *r);
void relay_stop(struct relay *r);

#endif
