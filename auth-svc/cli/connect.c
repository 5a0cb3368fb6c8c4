/* Subcommands invite, connections, disconnect, export and import. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/auth/v1/connect.pb-c.h"
#include "auth-svc/cli/cli.h"
#include "auth-svc/cli/own_service.h"
#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

enum { IMPORT_MAX = 4 << 20 };

static void message_cleanup(ProtobufCMessage **m)
{
  if (*m != NULL)
    protobuf_c_message_free_unpacked(*m, NULL);
}
#define AUTO_MESSAGE CLEANUP(message_cleanup)

static void settings_cleanup(struct settings *s)
{
  settings_free(s);
}
#define AUTO_SETTINGS CLEANUP(settings_cleanup)

/* Asks the running service. Returns an exit code, with a message when it is not EXIT_OK. */
static int ask(ProtobufCMessage **response, const char *command, const char *method,
               const ProtobufCMessage *request)
{
  AUTO_SETTINGS struct settings s = {0};
  struct err e = {0};
  if (settings_from_environment(&s, &e) != ERR_OK)
    return cli_fail(EXIT_CONFIG, command, "%s", e.message);
  if (own_service_call(response, &s, command, method, request, &e) == ERR_OK)
    return EXIT_OK;
  int code = strcmp(e.reason, "no_seal_key") == 0 ? EXIT_CONFIG : EXIT_FAILED;
  return cli_fail(code, command, "%s", e.message);
}

/* --------------------------------------------------------------------------- invite */

struct inviting {
  const char *dealer, *name, *region, *owner, *label, *ttl, *renew, *revoke;
  struct cli_list groups;
};

/* Who is invited: a new dealer, or one whose consent is renewed. False with *exit_code. */
static bool read_invite(struct inviting *v, int argc, char **argv, const char *help, int *exit_code)
{
  static const char wants[] = "takes one DEALER, or --renew DEALER, or --revoke ID";
  const struct cli_option options[] = {
      {"name", .text = &v->name},    {"region", .text = &v->region}, {"owner", .text = &v->owner},
      {"group", .list = &v->groups}, {"label", .text = &v->label},   {"ttl", .text = &v->ttl},
      {"renew", .text = &v->renew},  {"revoke", .text = &v->revoke}, {0}};
  char **words = cli_read(argc, argv, help, options, 0, 1, wants, exit_code);
  if (words == NULL)
    return false;
  bool is_new = v->renew == NULL && v->revoke == NULL;
  v->dealer = is_new ? words[0] : v->renew;
  const char *problem = is_new == (words[0] == NULL) ? wants
                        : is_new && (v->name[0] == '\0' || v->region[0] == '\0')
                            ? "--name and --region must be given for a new dealer"
                        : v->ttl != NULL && cli_seconds(v->ttl) == 0
                            ? "--ttl: must be a time such as 900, 30m or 24h"
                            : NULL;
  if (problem != NULL)
    *exit_code = cli_fail(EXIT_USAGE, "invite", "%s; see --help", problem);
  return problem == NULL;
}

static int revoke_invite(const char *id)
{
  AUTO_MESSAGE ProtobufCMessage *response = NULL;
  Analytics__Auth__V1__RevokeInviteRequest request =
      ANALYTICS__AUTH__V1__REVOKE_INVITE_REQUEST__INIT;
  request.invite_id = borrow_text(id);
  int code = ask(&response, "invite", "RevokeInvite", &request.base);
  if (code == EXIT_OK)
    printf("link %s is revoked\n", id);
  return code;
}

static int invite(struct inviting *v)
{
  Analytics__Auth__V1__Invitation invitation = ANALYTICS__AUTH__V1__INVITATION__INIT;
  Analytics__Auth__V1__CreateInviteRequest request =
      ANALYTICS__AUTH__V1__CREATE_INVITE_REQUEST__INIT;
  AUTO_MESSAGE ProtobufCMessage *response = NULL;
  invitation.dealer_id = borrow_text(v->dealer);
  invitation.name = borrow_text(v->name);
  invitation.region = borrow_text(v->region);
  invitation.owner = borrow_text(v->owner);
  invitation.label = borrow_text(v->label);
  invitation.groups = borrow_texts(v->groups.items);
  invitation.n_groups = v->groups.n;
  invitation.renew = v->renew != NULL;
  request.invitation = &invitation;
  request.ttl_s = v->ttl != NULL ? cli_seconds(v->ttl) : 0;
  int code = ask(&response, "invite", "CreateInvite", &request.base);
  if (code != EXIT_OK)
    return code;
  const Analytics__Auth__V1__CreateInviteResponse *r = (const void *)response;
  char until[32];
  clock_format_rfc3339(r->expires_at * 1000, until, sizeof(until));
  printf("%s\n", r->url);
  fprintf(stderr, "link %s for dealer \"%s\": can be used once, until %s; it is not shown again\n",
          r->invite_id, v->dealer, until);
  return EXIT_OK;
}

int cli_invite(int argc, char **argv, const char *help)
{
  struct inviting v = {.name = "", .region = "", .owner = "", .label = ""};
  int exit_code;
  if (!read_invite(&v, argc, argv, help, &exit_code))
    return exit_code;
  return v.revoke != NULL ? revoke_invite(v.revoke) : invite(&v);
}

/* ----------------------------------------------------------------------- the others */

/* No options, and `n` words, the first of which *word gets. */
static bool read_words(int argc, char **argv, const char *help, int n, const char **word,
                       int *exit_code)
{
  static const struct cli_option none[] = {{0}};
  char **words = cli_read(argc, argv, help, none, n, n, "wrong number of arguments", exit_code);
  if (words != NULL)
    *word = words[0];
  return words != NULL;
}

static void print_invite(const Analytics__Auth__V1__OpenInvite *i)
{
  char until[32];
  clock_format_rfc3339(i->expires_at * 1000, until, sizeof(until));
  printf("link   %s  %-16s %s%s until %s, started %d times, by %s%s%s\n", i->invite_id,
         i->invitation->dealer_id, i->invitation->name, i->invitation->renew ? " (renewal)" : "",
         until, i->starts, i->created_by, i->invitation->label[0] != '\0' ? ": " : "",
         i->invitation->label);
}

int cli_connections(int argc, char **argv, const char *help)
{
  AUTO_MESSAGE ProtobufCMessage *response = NULL;
  const Analytics__Auth__V1__ListConnectionsRequest request =
      ANALYTICS__AUTH__V1__LIST_CONNECTIONS_REQUEST__INIT;
  const char *none;
  int code = EXIT_OK;
  if (!read_words(argc, argv, help, 0, &none, &code))
    return code;
  code = ask(&response, "connections", "ListConnections", &request.base);
  const Analytics__Auth__V1__ListConnectionsResponse *r = (const void *)response;
  for (size_t i = 0; code == EXIT_OK && i < r->n_dealers; i++) {
    const Analytics__Auth__V1__ConnectedDealer *d = r->dealers[i];
    char since[32];
    clock_format_rfc3339(d->connected_at * 1000, since, sizeof(since));
    printf("dealer %-16s %-15s %s: property %s, consent of %s, %s\n", d->dealer_id, d->state,
           d->name, d->property_id, d->google_account, since);
    if (strcmp(d->state, "needs_reconsent") == 0)
      printf("       auth-svc invite --renew %s\n", d->dealer_id);
  }
  for (size_t i = 0; code == EXIT_OK && i < r->n_invites; i++)
    print_invite(r->invites[i]);
  return code;
}

int cli_disconnect(int argc, char **argv, const char *help)
{
  AUTO_MESSAGE ProtobufCMessage *response = NULL;
  Analytics__Auth__V1__DisconnectRequest request = ANALYTICS__AUTH__V1__DISCONNECT_REQUEST__INIT;
  const char *dealer = NULL;
  int code = EXIT_OK;
  if (!read_words(argc, argv, help, 1, &dealer, &code))
    return code;
  request.dealer_id = borrow_text(dealer);
  code = ask(&response, "disconnect", "Disconnect", &request.base);
  if (code != EXIT_OK)
    return code;
  const Analytics__Auth__V1__DisconnectResponse *r = (const void *)response;
  printf("dealer \"%s\" is forgotten; %s\n", dealer,
         r->revoked ? "its consent is revoked at Google" : r->note);
  return EXIT_OK;
}

int cli_export(int argc, char **argv, const char *help)
{
  AUTO_MESSAGE ProtobufCMessage *response = NULL;
  const Analytics__Auth__V1__ExportConnectedRequest request =
      ANALYTICS__AUTH__V1__EXPORT_CONNECTED_REQUEST__INIT;
  const char *none;
  int code = EXIT_OK;
  if (!read_words(argc, argv, help, 0, &none, &code))
    return code;
  code = ask(&response, "export", "ExportConnected", &request.base);
  if (code == EXIT_OK)
    fputs(((const Analytics__Auth__V1__ExportConnectedResponse *)(const void *)response)
              ->dealers_json,
          stdout);
  return code;
}

int cli_import(int argc, char **argv, const char *help)
{
  AUTO_MESSAGE ProtobufCMessage *response = NULL;
  AUTO_BUF struct buf text = {0};
  Analytics__Auth__V1__ImportConnectedRequest request =
      ANALYTICS__AUTH__V1__IMPORT_CONNECTED_REQUEST__INIT;
  const char *file = NULL;
  struct err e = {0};
  int code = EXIT_OK;
  if (!read_words(argc, argv, help, 1, &file, &code))
    return code;
  if (file_read(&text, "FILE", file, IMPORT_MAX, true, &e) != ERR_OK)
    return cli_fail(EXIT_FAILED, "import", "%s", e.message);
  request.dealers_json = text.data;
  code = ask(&response, "import", "ImportConnected", &request.base);
  if (code != EXIT_OK)
    return code;
  int n = ((const Analytics__Auth__V1__ImportConnectedResponse *)(const void *)response)->dealers;
  if (n == 1)
    printf("1 dealer is connected; take it out of the dealers file if it is in one\n");
  else
    printf("%d dealers are connected; take them out of the dealers file if they are in one\n", n);
  return code;
}
