/*
 * libmicrohttpd's functions, as far as core/ calls them, loaded with the first. See late.h and
 * late_curl.c.
 */
#include <stdarg.h>

#include <microhttpd.h>

#include "late.h"

static struct tap_late library = {.soname = TAP_LATE_MICROHTTPD};

#define MHD(type, name, parameters, arguments) TAP_LATE(&library, type, name, parameters, arguments)

MHD(struct MHD_Daemon *, MHD_start_daemon_va,
    (unsigned flags, uint16_t port, MHD_AcceptPolicyCallback policy, void *policy_user,
     MHD_AccessHandlerCallback handler, void *handler_user, va_list options),
    (flags, port, policy, policy_user, handler, handler_user, options))
MHD(void, MHD_stop_daemon, (struct MHD_Daemon * daemon), (daemon))
MHD(enum MHD_Result, MHD_run, (struct MHD_Daemon * daemon), (daemon))
MHD(enum MHD_Result, MHD_get_timeout, (struct MHD_Daemon * daemon, MHD_UNSIGNED_LONG_LONG *ms),
    (daemon, ms))
MHD(int, MHD_get_connection_values,
    (struct MHD_Connection * connection, enum MHD_ValueKind kind, MHD_KeyValueIterator iterator,
     void *user),
    (connection, kind, iterator, user))
MHD(enum MHD_Result, MHD_queue_response,
    (struct MHD_Connection * connection, unsigned status, struct MHD_Response *response),
    (connection, status, response))
MHD(void, MHD_suspend_connection, (struct MHD_Connection * connection), (connection))
MHD(void, MHD_resume_connection, (struct MHD_Connection * connection), (connection))
MHD(struct MHD_Response *, MHD_create_response_from_callback,
    (uint64_t size, size_t block, MHD_ContentReaderCallback reader, void *user,
     MHD_ContentReaderFreeCallback free_user),
    (size, block, reader, user, free_user))
MHD(struct MHD_Response *, MHD_create_response_from_buffer,
    (size_t size, void *buffer, enum MHD_ResponseMemoryMode mode), (size, buffer, mode))
MHD(struct MHD_Response *, MHD_create_response_from_buffer_with_free_callback,
    (size_t size, void *buffer, MHD_ContentReaderFreeCallback free_buffer),
    (size, buffer, free_buffer))
MHD(void, MHD_destroy_response, (struct MHD_Response * response), (response))
MHD(enum MHD_Result, MHD_add_response_header,
    (struct MHD_Response * response, const char *name, const char *value), (response, name, value))
/* What core/ asks for with these has no further arguments. */
MHD(const union MHD_ConnectionInfo *, MHD_get_connection_info,
    (struct MHD_Connection * connection, enum MHD_ConnectionInfoType type, ...), (connection, type))
MHD(const union MHD_DaemonInfo *, MHD_get_daemon_info,
    (struct MHD_Daemon * daemon, enum MHD_DaemonInfoType type, ...), (daemon, type))

struct MHD_Daemon *MHD_start_daemon(unsigned flags, uint16_t port, MHD_AcceptPolicyCallback policy,
                                    void *policy_user, MHD_AccessHandlerCallback handler,
                                    void *handler_user, ...)
{
    va_list options;
    va_start(options, handler_user);
    struct MHD_Daemon *daemon =
        MHD_start_daemon_va(flags, port, policy, policy_user, handler, handler_user, options);
    va_end(options);
    return daemon;
}
