/* Listening sockets: addresses, ports, and the messages when one cannot be had. */
#include "common/http/listen.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/harness.h"

static struct listen_options at(const char *host, uint16_t port)
{
  return (struct listen_options){
      .host = host, .port = port, .backlog = 4, .setting = "EXAMPLE_LISTEN"};
}

static int connect_to(uint16_t port)
{
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
    return fd;
  close(fd);
  return -1;
}

static void a_free_port_is_found_and_takes_connections(void)
{
  static const char *const hosts[] = {"127.0.0.1", "localhost", "0.0.0.0", ""};
  for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
    struct listen_options o = at(hosts[i], 0);
    struct err e = {0};
    int fd = -1;
    uint16_t port = 0;
    CU_ASSERT_EQUAL_FATAL(listen_open(&fd, &port, &o, &e), ERR_OK);
    CU_ASSERT_NOT_EQUAL(port, 0);
    CU_ASSERT_NOT_EQUAL(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    CU_ASSERT_NOT_EQUAL(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    int peer = connect_to(port);
    CU_ASSERT_TRUE(peer >= 0);
    close(peer);
    close(fd);
  }
}

static void a_port_in_use_is_refused_with_the_address_and_the_remedy(void)
{
  struct listen_options o = at("127.0.0.1", 0);
  struct err e = {0};
  int first = -1, second = -1;
  char want[200];
  CU_ASSERT_EQUAL_FATAL(listen_open(&first, &o.port, &o, &e), ERR_OK);
  uint16_t port = 0;
  CU_ASSERT_EQUAL(listen_open(&second, &port, &o, &e), ERR_UNAVAILABLE);
  CU_ASSERT_EQUAL(second, -1);
  CU_ASSERT_STRING_EQUAL(e.reason, "address_in_use");
  snprintf(want, sizeof(want),
           "127.0.0.1:%u is in use: stop the program that listens there (ss -ltnp shows which), "
           "or choose another EXAMPLE_LISTEN",
           o.port);
  CU_ASSERT_STRING_EQUAL(e.message, want);
  close(first);
}

static void a_port_is_free_again_when_its_owner_ends(void)
{
  struct listen_options o = at("127.0.0.1", 0);
  struct err e = {0};
  int fd = -1;
  uint16_t port = 0;
  CU_ASSERT_EQUAL_FATAL(listen_open(&fd, &o.port, &o, &e), ERR_OK);
  int peer = connect_to(o.port), accepted = -1;
  while ((accepted = accept(fd, NULL, NULL)) < 0)
    ;              /* the connection is there: connect() has returned */
  close(accepted); /* our end closes first and stays in TIME_WAIT */
  close(peer);
  close(fd);
  CU_ASSERT_EQUAL(listen_open(&fd, &port, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL(port, o.port);
  close(fd);
}

static void an_address_that_is_not_this_machines_is_refused(void)
{
  struct listen_options o = at("192.0.2.1", 4711); /* for documentation, RFC 5737 */
  struct err e = {0};
  int fd = -1;
  uint16_t port = 0;
  CU_ASSERT_EQUAL(listen_open(&fd, &port, &o, &e), ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(e.reason, "listen_failed");
  CU_ASSERT_STRING_EQUAL(
      e.message,
      "cannot listen on 192.0.2.1:4711 (EXAMPLE_LISTEN): Cannot assign requested address");
}

static void a_host_that_is_not_known_is_the_settings_fault(void)
{
  struct listen_options o = at("no such host", 4711);
  struct err e = {0};
  int fd = -1;
  uint16_t port = 0;
  CU_ASSERT_EQUAL(listen_open(&fd, &port, &o, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.reason, "bad_address");
  CU_ASSERT_PTR_EQUAL(
      strstr(e.message, "EXAMPLE_LISTEN: the address of \"no such host\" cannot be found: "),
      e.message);
}

TEST_MAIN("http/listen", TEST(a_free_port_is_found_and_takes_connections),
          TEST(a_port_in_use_is_refused_with_the_address_and_the_remedy),
          TEST(a_port_is_free_again_when_its_owner_ends),
          TEST(an_address_that_is_not_this_machines_is_refused),
          TEST(a_host_that_is_not_known_is_the_settings_fault))
