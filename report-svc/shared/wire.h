/* A connection to Redis: TCP, and TLS where the address asks for it. Opening blocks until its
 * deadline, reading and writing never do. For one thread. */
#ifndef AMCP_REPORT_SHARED_WIRE_H
#define AMCP_REPORT_SHARED_WIRE_H

#include <poll.h>
#include <sys/types.h>

#include "report-svc/shared/url.h"

struct wire;

/* What certificates of rediss:// must be signed by: CA certificates (PEM) in a file, and a folder
 * hashed by openssl rehash. Both NULL: the system's. */
struct wire_trust {
  const char *ca_file, *ca_dir;
};

/* Connects until clock_mono_ms() is deadline_ms; looking a name up may take longer.
 * ERR_UNAVAILABLE says what failed. Over TLS the certificate must be for the host. */
enum err_code wire_open(struct wire **out, const struct redis_url *url,
                        const struct wire_trust *trust, int64_t deadline_ms, struct err *e);
/* NULL is fine. */
void wire_close(struct wire *w);
/* Bytes read or written; 0 when that would block; -1 when the connection has ended. */
ssize_t wire_read(struct wire *w, void *out, size_t size);
ssize_t wire_write(struct wire *w, const void *data, size_t len);
/* Waits until there may be something to read, or when `writing` to be written, or the other
 * descriptor (-1: none) can be read; at most timeout_ms. */
void wire_wait(const struct wire *w, bool writing, int other_fd, int timeout_ms);

#endif
