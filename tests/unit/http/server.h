/* An HTTP/1.1 server for tests: one thread per connection, well-behaved and faulty answers
 * chosen by the request's path.
 *
 *   /echo              the request as the server saw it: request line, headers, blank line, body
 *   /bytes?n=&piece=&pause_ms=&gzip=&chunked=
 *                      n bytes of server_byte(), sent in pieces (default 4,096) with pauses
 *   /status?code=&n=   an answer with that status, Retry-After: 7, two WWW-Authenticate headers
 *                      and n bytes
 *   /redirect          302 to /echo
 *   /interim           103 with a Content-Type, then 200 with another
 *   /cut?n=            declares 100 bytes more than it sends, then closes
 *   /declare?n=        declares n bytes, sends one and waits for the client to go away
 *   /hang              reads the request, never answers
 *   /close             closes without a byte
 *   /once              answers, then closes although it promised to keep the connection
 *   /strange           a Retry-After of bytes that are not text
 *   /badgzip           says gzip, sends something else
 *   /empty             200 without a body
 */
#ifndef AMCP_TESTS_HTTP_SERVER_H
#define AMCP_TESTS_HTTP_SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;

/* Listens on a free port of 127.0.0.1. tls may be NULL; it is freed with the server. */
struct server *server_start(SSL_CTX *tls);
void server_stop(struct server *s);
uint16_t server_port(const struct server *s);
/* Connections accepted so far, requests read so far, most connections open at a time. */
unsigned server_connections(struct server *s);
unsigned server_requests(struct server *s);
unsigned server_most_open(struct server *s);

/* The byte at a place of a /bytes body: compresses a little, repeats nowhere near. */
unsigned char server_byte(size_t at);
/* Whether these are the bytes from that place on. */
bool server_bytes_are(size_t at, const char *data, size_t len);

#endif
