#include "lib/base/stdfd.h"

#include <fcntl.h>
#include <unistd.h>

void
stdfd_hold(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1) /* the lowest that is free: this one */
			(void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}
