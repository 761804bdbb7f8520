#include "config.h"

#include <stdio.h>
#include <string.h>

static const char usage[] = "usage: lwm2m-prov --help | --version\n";

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("lwm2m-prov " PACKAGE_VERSION) == EOF;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) == EOF;
	(void)fputs(usage, stderr);
	return 2;
}
