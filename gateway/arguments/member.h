/* Inside the room: which field of a message a member means. */
#ifndef AMCP_GATEWAY_ARGUMENTS_MEMBER_H
#define AMCP_GATEWAY_ARGUMENTS_MEMBER_H

#include "gateway/arguments/internal.h"

/* The field that a name means, in any spelling or as an alias; NULL for none. Hidden fields have
 * their own names alone. */
const ProtobufCFieldDescriptor *member_field(const ProtobufCMessageDescriptor *type,
                                             const char *name);

/* Gives every member the name of its field in the .proto, drops what is absent, and puts the days
 * of a range that were given beside it into it. Two names of one field with different values are
 * refused; unknown members are left. */
enum err_code members_settle(const struct repair *r, const ProtobufCMessageDescriptor *type,
                             cJSON *object, const struct json_path *path);

#endif
