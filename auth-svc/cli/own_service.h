/* The auth-svc that runs with the settings of the environment, for subcommands that change what it
 * holds: its address, its own certificate, and a grant that is sealed with its own key. */
#ifndef AMCP_AUTH_CLI_OWN_SERVICE_H
#define AMCP_AUTH_CLI_OWN_SERVICE_H

#include <protobuf-c/protobuf-c.h>

#include "auth-svc/config/settings.h"

/* Calls a method of ConnectService as an admin and waits. *response is freed with
 * protobuf_c_message_free_unpacked(response, NULL). FAILED_PRECONDITION `no_seal_key` where the
 * settings name no key of grants: only its holder may give orders. `command` names who asks in the
 * audit log. */
enum err_code own_service_call(ProtobufCMessage **response, struct settings *s, const char *command,
                               const char *method, const ProtobufCMessage *request, struct err *e);

#endif
