/*
 * A disk that fills up: a small tmpfs of its own. Every change is answered, nothing is kept by halves,
 * what was there stays, and changes work again when there is room. Skipped where no disk may be mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/store_fixture.h"
#include "tests/unit/unit.h"

static struct fx f;

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

/* A view of the file system that is ours alone: as root, or in a user namespace. */
static bool
own_mounts(void)
{
	char map[64];
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWNS) < 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			return false;
		(void)snprintf(map, sizeof map, "0 %u 1", uid);
		bool ok = write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", map);
		(void)snprintf(map, sizeof map, "0 %u 1", gid);
		if (!ok || !write_text("/proc/self/gid_map", map))
			return false;
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool
small_disk(const char *dir)
{
	return mount("tmpfs", dir, "tmpfs", MS_NOSUID | MS_NODEV, "size=3m,mode=0700") == 0;
}

static void
ballast(bool there)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/ballast", f.dir);
	if (!there) {
		ck_assert_int_eq(unlink(path), 0);
		return;
	}
	static char zeros[1 << 20];
	fx_write_file(path, zeros, sizeof zeros);
}

START_TEST(a_full_disk_loses_nothing)
{
	static char doc[20000];
	char name[32];
	unsigned kept = 0, refused = 0;

	ck_assert(own_mounts());
	fx_init(&f);
	ck_assert(small_disk(f.dir));
	ck_assert_int_eq(store_key_create(f.key_file, NULL), ERR_OK);
	ballast(true);
	ck_assert_msg(fx_open(&f) == ERR_OK, "%s", f.e.msg);
	memset(doc, ' ', sizeof doc - 1);
	for (unsigned i = 0; refused < 20; i++) {
		(void)snprintf(name, sizeof name, "ep%05u", i);
		ck_assert_uint_lt(i, 1000);
		gbuf_reset(&f.feed);
		if (fx_put_psk(&f, name, doc, name, "key") == ERR_OK) {
			kept += refused == 0;
			ck_assert_uint_eq(refused, 0);
			continue;
		}
		refused++;
		ck_assert_int_eq(f.rc, ERR_IO);
		ck_assert_ptr_nonnull(strstr(f.e.msg, "store: the disk is full, nothing of this was kept"));
		ck_assert_uint_eq(f.feed.len, 0);
	}
	ck_assert_uint_gt(kept, 10);
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_eq(f.counts.devices, kept);
	ck_assert_int_eq(fx_get(&f, "ep00000"), ERR_OK);
	ballast(false);
	ck_assert_msg(fx_put_psk(&f, "after", doc, "after", "key") == ERR_OK, "%s", f.e.msg);
	ck_assert_uint_eq(f.results[0].revision, kept + 1);
	fx_reopen(&f);
	for (unsigned i = 0; i < kept; i++) {
		(void)snprintf(name, sizeof name, "ep%05u", i);
		ck_assert_int_eq(fx_get(&f, name), ERR_OK);
		ck_assert_uint_eq(f.n_creds, 1);
	}
	ck_assert_int_eq(fx_get(&f, "after"), ERR_OK);
	ck_assert_int_eq(fx_counts(&f), ERR_OK);
	ck_assert_uint_eq(f.counts.devices, kept + 1);
	fx_close(&f);
	ck_assert_int_eq(umount(f.dir), 0);
	fx_free(&f);
}
END_TEST

/* May we? Found out by a child, since it cannot be undone. */
static bool
can_mount(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(own_mounts() && small_disk("/tmp") ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int
main(void)
{
	static const struct unit_case cases[] = { UNIT_CASE(a_full_disk_loses_nothing, 0) };

	if (!can_mount()) {
		(void)puts("1..0 # SKIP no small disk: mounting one is not allowed here");
		return 0;
	}
	return unit_run(unit_suite("store_full", cases, N_ELEMS(cases)));
}
