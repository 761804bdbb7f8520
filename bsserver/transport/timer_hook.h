/*
 * bsserver/transport/timer_hook.h: fewer system calls for libcoap's timer.
 *
 * libcoap 4.3.1 sets its timerfd after every pass and with every message, nearly always to a later
 * time, and with a message often far too soon (to the distance from the message before it); each
 * setting costs as much as sending a datagram. timerfd_settime() is therefore defined here once more,
 * so that libcoap's calls arrive here. Those of a stretch in which it is in force on this thread
 * come to one at its end, and that only when the timer must strike sooner than it would: one that
 * strikes too early finds nothing to do, and is set to the right time then. Where the symbol is not
 * found first, libcoap works as before.
 */
#ifndef BSSERVER_TRANSPORT_TIMER_HOOK_H
#define BSSERVER_TRANSPORT_TIMER_HOOK_H

/* In force from enter to leave: only libcoap's timers may be set meanwhile. They do not nest. */
void timer_hook_enter(void);
void timer_hook_leave(void);
/*
 * Around the sending of a message: what is asked for now is for its first repetition, and that is not
 * due before min_ms. Outside of these, what is asked for last is what libcoap wants of all.
 */
void timer_hook_sends(unsigned min_ms);
void timer_hook_sent(void);
/* A descriptor was closed, or is new: what is known of this thread's timers is forgotten. */
void timer_hook_forget(void);
/* Settings that this thread was asked for, and those that the kernel was. */
void timer_hook_counts(unsigned long *asked, unsigned long *made);

#endif
