/* The address of a client that comes through proxies: whose word about it is taken.
 *
 * A proxy adds the address it was called from at the right end of a header, behind whatever its own
 * caller wrote there. So the address is that of the right-most hop that is not one of the proxies;
 * what stands left of it anybody may have written. Nothing is taken from a peer that is not a proxy
 * itself. Thread-safe once made. */
#ifndef AMCP_GATEWAY_HTTP_PROXIES_H
#define AMCP_GATEWAY_HTTP_PROXIES_H

#include <netinet/in.h>

#include "common/base/error.h"

enum { ADDRESS_TEXT = INET6_ADDRSTRLEN, ADDRESS_NETWORK = ADDRESS_TEXT + 3 };

struct proxies;

/* networks: comma-separated ADDRESS or ADDRESS/BITS, IPv4 and IPv6; NULL or empty: none. header:
 * which one they write, X-Forwarded-For or Forwarded (RFC 7239); NULL or empty: the first. Only one
 * is read, because a proxy passes the other on as its caller wrote it. ERR_INVALID_ARGUMENT names
 * the setting and the entry. */
enum err_code proxies_new(struct proxies **out, const char *networks, const char *header,
                          struct err *e);
void proxies_free(struct proxies *p);
/* The header to give to proxies_client(). */
const char *proxies_header(const struct proxies *p);
/* The client's address behind `peer`. value: of the header, NULL when absent. A hop that is no
 * address (a name, "unknown") hides what is left of it: then the nearest known hop counts, at last
 * the peer itself. IPv4 addresses mapped into IPv6 are written as IPv4. */
void proxies_client(const struct proxies *p, char out[ADDRESS_TEXT], const char *peer,
                    const char *value);
/* What one stranger has of addresses: an IPv4 address, or a network of IPv6, "2001:db8::/64". An
 * unreadable address is copied as it is. */
void address_network(char out[ADDRESS_NETWORK], const char *address);

#endif
