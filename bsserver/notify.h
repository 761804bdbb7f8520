/*
 * bsserver/notify.h: a word to the service manager that started us.
 */
#ifndef BSSERVER_NOTIFY_H
#define BSSERVER_NOTIFY_H

/* One datagram ("READY=1") to the socket of sd_notify(3), NOTIFY_SOCKET; nothing when there is none. */
void notify_manager(const char *state);

#endif
