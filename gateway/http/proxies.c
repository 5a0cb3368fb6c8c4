/* The address of a client that comes through proxies. */
#include "gateway/http/proxies.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

enum { MAX_NETWORKS = 64, MAPPED_BITS = 96, NETWORK_BITS = 64, HOP_MAX = 256, SETTING_MAX = 80 };

static const char x_forwarded_for[] = "X-Forwarded-For", forwarded[] = "Forwarded";

/* An IPv4 address is kept as one mapped into IPv6. */
struct address {
  uint8_t bytes[16];
};

struct network {
  struct address address;
  unsigned bits; /* of 128 */
};

struct proxies {
  const char *header;
  size_t n;
  struct network networks[MAX_NETWORKS];
};

static bool is_mapped(const struct address *a)
{
  static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
  return memcmp(a->bytes, prefix, sizeof(prefix)) == 0;
}

static bool read_address(struct address *out, const char *text)
{
  *out = (struct address){.bytes = {[10] = 0xff, [11] = 0xff}};
  return inet_pton(AF_INET, text, out->bytes + 12) == 1 ||
         inet_pton(AF_INET6, text, out->bytes) == 1;
}

static void write_address(char out[ADDRESS_TEXT], const struct address *a)
{
  if (is_mapped(a))
    inet_ntop(AF_INET, a->bytes + 12, out, ADDRESS_TEXT);
  else
    inet_ntop(AF_INET6, a->bytes, out, ADDRESS_TEXT);
}

/* Sets the bits behind the first `bits` to zero. */
static void clear_tail(struct address *a, unsigned bits)
{
  for (unsigned i = 0; i < sizeof(a->bytes); i++) {
    unsigned kept = bits > i * 8 ? bits - i * 8 : 0;
    if (kept < 8)
      a->bytes[i] &= (uint8_t)(0xff00U >> kept);
  }
}

static bool contains(const struct network *n, struct address a)
{
  clear_tail(&a, n->bits);
  return memcmp(a.bytes, n->address.bytes, sizeof(a.bytes)) == 0;
}

static bool is_proxy(const struct proxies *p, const struct address *a)
{
  for (size_t i = 0; i < p->n; i++) {
    if (contains(&p->networks[i], *a))
      return true;
  }
  return false;
}

/* --------------------------------------------------------------- settings */

/* The bits of ADDRESS/BITS; all of them when text is NULL. */
static bool read_bits(unsigned *out, const char *text, bool v4)
{
  unsigned most = v4 ? 32 : 128, bits = 0;
  if (text == NULL)
    bits = most;
  for (const char *c = text; c != NULL && *c != '\0'; c++) {
    if (*c < '0' || *c > '9' || (bits = bits * 10 + (unsigned)(*c - '0')) > most)
      return false;
  }
  *out = v4 ? bits + MAPPED_BITS : bits;
  return bits > 0; /* all addresses there are would be believed */
}

static bool read_network(struct network *out, char *text)
{
  bool v4 = strchr(text, ':') == NULL;
  char *slash = strchr(text, '/');
  if (slash != NULL)
    *slash++ = '\0';
  if (!read_address(&out->address, text) || !read_bits(&out->bits, slash, v4))
    return false;
  struct address first = out->address;
  clear_tail(&first, out->bits);
  return memcmp(first.bytes, out->address.bytes, sizeof(first.bytes)) == 0;
}

static enum err_code add_network(struct proxies *p, const char *entry, struct err *e)
{
  char text[SETTING_MAX];
  snprintf(text, sizeof(text), "%s", entry);
  if (p->n == MAX_NETWORKS)
    return err_set(e, ERR_INVALID_ARGUMENT, "too_many",
                   "ANALYTICS_MCP_TRUSTED_PROXIES: at most %d entries", MAX_NETWORKS);
  if (strlen(entry) >= sizeof(text) || !read_network(&p->networks[p->n], text))
    return err_set(e, ERR_INVALID_ARGUMENT, "malformed",
                   "ANALYTICS_MCP_TRUSTED_PROXIES: \"%.100s\" must be an address or the first "
                   "address of a network with its bits, such as 10.0.0.0/8 or fd00::/8",
                   entry);
  p->n++;
  return ERR_OK;
}

/* The next part of a list, copied without the white space around it; false at its end. */
static bool next_part(char **out, const char **list)
{
  if (*list == NULL)
    return false;
  const char *start = *list + strspn(*list, " \t");
  size_t whole = strcspn(start, ","), len = whole;
  while (len > 0 && (start[len - 1] == ' ' || start[len - 1] == '\t'))
    len--;
  *out = xstrndup(start, len);
  *list = start[whole] == ',' ? start + whole + 1 : NULL;
  return true;
}

static enum err_code read_networks(struct proxies *p, const char *networks, struct err *e)
{
  enum err_code code = ERR_OK;
  char *part;
  while (code == ERR_OK && next_part(&part, &networks)) {
    if (part[0] != '\0')
      code = add_network(p, part, e);
    free(part);
  }
  return code;
}

static enum err_code read_header(struct proxies *p, const char *header, struct err *e)
{
  p->header = x_forwarded_for;
  if (header == NULL || header[0] == '\0' || ascii_case_equal(header, x_forwarded_for))
    return ERR_OK;
  p->header = forwarded;
  if (ascii_case_equal(header, forwarded))
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "malformed",
                 "ANALYTICS_MCP_FORWARDED_HEADER: \"%.100s\" must be one of %s, %s", header,
                 x_forwarded_for, forwarded);
}

enum err_code proxies_new(struct proxies **out, const char *networks, const char *header,
                          struct err *e)
{
  struct proxies *p = xcalloc(1, sizeof(*p));
  enum err_code code = read_header(p, header, e);
  if (code == ERR_OK)
    code = read_networks(p, networks, e);
  if (code != ERR_OK) {
    free(p);
    return code;
  }
  *out = p;
  return ERR_OK;
}

void proxies_free(struct proxies *p)
{
  free(p);
}

const char *proxies_header(const struct proxies *p)
{
  return p->header;
}

/* ------------------------------------------------------------------- hops */

/* Digits, or the name that RFC 7239 (6.2) lets stand for a port. */
static bool is_port(const char *text)
{
  size_t len = strlen(text);
  return len > 0 && len == strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-");
}

/* 192.0.2.1, 192.0.2.1:443, 2001:db8::1, [2001:db8::1], [2001:db8::1]:443. Cuts the text. */
static bool read_node(struct address *out, char *text)
{
  char *port = NULL;
  if (text[0] == '[') {
    char *end = strchr(++text, ']');
    if (end == NULL || strchr(text, ':') == NULL || (end[1] != '\0' && end[1] != ':'))
      return false;
    port = end[1] == ':' ? end + 2 : NULL;
    *end = '\0';
  } else if ((port = strchr(text, ':')) != NULL) {
    if (strchr(port + 1, ':') != NULL)
      port = NULL; /* IPv6 */
    else
      *port++ = '\0';
  }
  return (port == NULL || is_port(port)) && read_address(out, text);
}

/* Where the pair that begins here ends: at a semicolon outside of quotes, or at the end. */
static size_t pair_length(const char *pair)
{
  bool quoted = false;
  size_t i = 0;
  for (; pair[i] != '\0' && (quoted || pair[i] != ';'); i++)
    quoted ^= pair[i] == '"';
  return i;
}

/* Takes a value out of its quotes. */
static char *unquote(char *value)
{
  size_t len = strlen(value);
  if (len < 2 || value[0] != '"' || value[len - 1] != '"')
    return value;
  value[len - 1] = '\0';
  return value + 1;
}

static size_t count(const char *text, char c)
{
  size_t n = 0;
  for (; *text != '\0'; text++)
    n += *text == c;
  return n;
}

/* The value of "for" in one element of Forwarded; NULL when it is not there once. The header was
 * cut at every comma, so quotes that do not close mean that text of a stranger is in between. */
static char *find_for(char *element)
{
  char *found = NULL;
  if (strchr(element, '\\') != NULL || count(element, '"') % 2 != 0)
    return NULL;
  for (char *pair = element; pair != NULL;) {
    size_t len = pair_length(pair);
    char *next = pair[len] == ';' ? pair + len + 1 : NULL;
    pair[len] = '\0';
    pair += strspn(pair, " \t");
    if (strncasecmp(pair, "for=", 4) == 0) {
      if (found != NULL)
        return NULL;
      found = unquote(pair + 4);
    }
    pair = next;
  }
  return found;
}

static bool read_hop(const struct proxies *p, struct address *out, char *element)
{
  char *node = p->header == forwarded ? find_for(element) : element;
  return node != NULL && strlen(node) < HOP_MAX && read_node(out, node);
}

void proxies_client(const struct proxies *p, char out[ADDRESS_TEXT], const char *peer,
                    const char *value)
{
  struct address client, hop;
  text_copy(out, ADDRESS_TEXT, peer);
  if (!read_address(&client, peer))
    return;
  if (!is_proxy(p, &client))
    value = NULL;
  /* From the left: a hop that is not a proxy takes the place of all before it, a proxy keeps them.
   */
  bool known = false;
  char *element;
  while (next_part(&element, &value)) {
    bool empty = element[0] == '\0', readable = !empty && read_hop(p, &hop, element);
    free(element);
    if (readable && (!known || !is_proxy(p, &hop)))
      client = hop;
    known = readable || (empty && known);
  }
  if (!known)
    read_address(&client, peer);
  write_address(out, &client);
}

void address_network(char out[ADDRESS_NETWORK], const char *address)
{
  struct address a;
  char text[ADDRESS_TEXT];
  if (!read_address(&a, address)) {
    snprintf(out, ADDRESS_NETWORK, "%s", address);
    return;
  }
  bool v4 = is_mapped(&a);
  if (!v4)
    clear_tail(&a, NETWORK_BITS);
  write_address(text, &a);
  snprintf(out, ADDRESS_NETWORK, "%s%s", text, v4 ? "" : "/64");
}
