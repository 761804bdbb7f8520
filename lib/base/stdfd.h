/*
 * lib/base/stdfd.h: a program that was started without one of its standard streams.
 */
#ifndef LIB_BASE_STDFD_H
#define LIB_BASE_STDFD_H

/*
 * First thing in main(): each of descriptors 0 to 2 that is closed is taken by one that cannot be used
 * (EBADF), so that no file or socket opened later gets that number and what was meant for people.
 */
void stdfd_hold(void);

#endif
