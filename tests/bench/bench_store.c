/*
 * What the store costs: bench_store [DEVICES [GETS [SESSIONS [FOLDER]]]]. Prints figures, judges nothing.
 * CPU is that of all threads together, per operation; "loop" is the part of the loop's thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bsserver/loop/loop.h"
#include "bsserver/store/store.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"

#define BATCH 100

struct bench {
	struct loop *loop;
	struct store *store;
	uint64_t devices;
	uint64_t asked, answered, wanted, failed;
	uint64_t window;
	uint64_t state; /* of the random numbers */
	struct bs_record record;
	void (*ask)(struct bench *b);
};

struct clocks {
	uint64_t wall_us, all_us, loop_us;
};

static const struct store_ops *const ops = &store_sqlite;
static const char doc[] =
    "{\"profile_format\":1,\"endpoint\":\"urn:imei:490154203237518\",\"extends\":\"meter-nbiot\","
    "\"vars\":{\"site\":\"depot-7\"},\"labels\":{\"batch\":\"2026-47\"},\"credentials\":{\"bootstrap\":{"
    "\"mode\":\"psk\",\"identity\":\"${endpoint}\",\"key\":{\"sha256\":\"0123456789abcdef\"}}},\"servers\":"
    "{\"dm\":{\"short_server_id\":101,\"uri\":\"coaps://dm.example.com:5684\",\"security\":{\"mode\":"
    "\"psk\",\"identity\":\"${endpoint}\",\"key\":{\"generate\":16}},\"lifetime\":\"1d\",\"binding\":\"U\"}}}";

static struct clocks
clocks_now(void)
{
	struct rusage all, loop;

	(void)getrusage(RUSAGE_SELF, &all);
	(void)getrusage(RUSAGE_THREAD, &loop);
#define US(t) ((uint64_t)(t).tv_sec * 1000000 + (uint64_t)(t).tv_usec)
	return (struct clocks){ clock_mono_us(), US(all.ru_utime) + US(all.ru_stime),
		US(loop.ru_utime) + US(loop.ru_stime) };
}

static void
report(const char *what, const struct clocks *from, uint64_t n)
{
	struct clocks to = clocks_now();
	struct rusage u;
	double wall = (double)(to.wall_us - from->wall_us), all = (double)(to.all_us - from->all_us);
	double loop = (double)(to.loop_us - from->loop_us);

	(void)getrusage(RUSAGE_SELF, &u);
	(void)printf("%-28s %8" PRIu64 " in %7.2f s  %9.0f/s  CPU %6.1f us each (loop %5.1f)  RSS %ld MiB\n", what, n,
	    wall / 1e6, (double)n * 1e6 / wall, all / (double)n, loop / (double)n, u.ru_maxrss / 1024);
}

static uint64_t
next_random(struct bench *b)
{
	b->state = b->state * 6364136223846793005u + 1442695040888963407u;
	return b->state >> 33;
}

static void
endpoint_of(uint64_t i, char out[32])
{
	(void)snprintf(out, 32, "urn:imei:49015420%07" PRIu64, i);
}

static void
answered(struct bench *b, enum err_code rc, const struct err *e)
{
	b->answered++;
	if (rc != ERR_OK && b->failed++ == 0)
		(void)printf("failed: %s\n", e->msg);
	while (b->asked < b->wanted && b->asked - b->answered < b->window) {
		b->asked++;
		b->ask(b);
	}
}

static void
run(struct bench *b, const char *what, void (*ask)(struct bench *), uint64_t n, uint64_t window, uint64_t unit)
{
	struct clocks from = clocks_now();

	b->ask = ask;
	b->wanted = n;
	b->window = window;
	b->asked = b->answered = 0;
	while (b->asked < n && b->asked < window) {
		b->asked++;
		ask(b);
	}
	while (b->answered < n)
		loop_turn(b->loop, 1000);
	report(what, &from, n * unit);
}

static void
on_done(void *arg, enum err_code rc, const struct err *e)
{
	answered(arg, rc, e);
}

static void
on_device(void *arg, enum err_code rc, const struct err *e, struct store_device *d,
    struct store_credential *creds, size_t n_creds)
{
	(void)d;
	(void)creds;
	(void)n_creds;
	answered(arg, rc, e);
}

static void
ask_get(struct bench *b)
{
	char endpoint[32];

	endpoint_of(next_random(b) % b->devices, endpoint);
	ops->device_get(b->store, endpoint, on_device, b);
}

static void
ask_session(struct bench *b)
{
	char endpoint[32];

	endpoint_of(next_random(b) % b->devices, endpoint);
	b->record.id++;
	b->record.endpoint = endpoint;
	ops->session_put(b->store, &b->record, NULL, on_done, b);
}

static void
fill_record(struct bs_record *r)
{
	static const char text[] = "</0>;ver=1.1,</0/0>,</0/1>;ssid=101;uri=\"coaps://dm.example.com\",</1/0>;ssid=101";

	*r = (struct bs_record){ .id = 1000, .verdict = BS_VERDICT_PROVISIONED, .step = BS_STEP_FINISH, .revision = 7,
		.used_format = 11542, .exchanges = 12, .code = 0x44, .started_ms = 1795390000000,
		.ended_ms = 1795390001000 };
	r->peer = strdup("[2001:db8::1]:56830");
	r->credential = strdup("psk:urn:imei:490154203237518");
	r->rule = strdup("endpoint equals identity");
	r->profile = strdup("meter-nbiot");
	r->fingerprints = strdup("dm=0123456789abcdef");
	r->unconfirmed = strdup("/0/1/5 /1/0/13");
	for (uint32_t i = 0; i < 12; i++)
		(void)bs_record_add(r, &(struct bs_entry){ .at_ms = i * 80, .step = BS_STEP_WRITE, .method = BS_PUT,
		    .path = "/0/1", .format = 11542, .sent = 120, .code = 0x44 }, i % 4 == 0 ? text : NULL,
		    i % 4 == 0 ? sizeof text - 1 : 0);
}

struct puts {
	struct store_change c[BATCH];
	struct store_credential creds[BATCH][2];
	char names[BATCH][32];
};

static struct puts batch;
static uint64_t next_device;

static void
on_apply(void *arg, enum err_code rc, const struct err *e, size_t failed_at, const struct store_result *results,
    size_t n)
{
	(void)failed_at;
	(void)results;
	(void)n;
	answered(arg, rc, e);
}

static void
ask_put(struct bench *b)
{
	static const struct store_actor who = { "bench", NULL };
	static char bootstrap[] = "bootstrap", dm[] = "servers/dm/security/key";
	static uint8_t key[16] = { 1, 2, 3 }, compiled[500];
	static const struct secret packed = { compiled, sizeof compiled };

	for (size_t i = 0; i < BATCH; i++) {
		endpoint_of(next_device++, batch.names[i]);
		batch.creds[i][0] = (struct store_credential){ .slot = bootstrap, .identity = batch.names[i],
			.key = { key, sizeof key } };
		batch.creds[i][1] = (struct store_credential){ .slot = dm, .key = { key, sizeof key }, .generated = true };
		batch.c[i] = (struct store_change){ .op = STORE_PUT_DEVICE, .name = batch.names[i], .doc = doc,
			.credentials = batch.creds[i], .n_credentials = 2, .compiled = &packed, .compiled_key = "k" };
	}
	ops->apply(b->store, &who, batch.c, BATCH, on_apply, b);
}

static uint64_t
number(int argc, char **argv, int i, uint64_t otherwise)
{
	uint64_t v = otherwise;

	if (i < argc && !str_to_u64(argv[i], strlen(argv[i]), 1, 10000000, &v)) {
		(void)fprintf(stderr, "bench_store: %s: not a number of 1 to 10000000\n", argv[i]);
		exit(2);
	}
	return v;
}

static void
clean_up(const char *dir)
{
	static const char *const names[] = { "store.db", "store.db-wal", "store.db-shm", "store.db.lock", "key" };
	char path[300];

	for (size_t i = 0; i < N_ELEMS(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

int
main(int argc, char **argv)
{
	struct bench b = { .devices = number(argc, argv, 1, 10000), .state = 1 };
	uint64_t gets = number(argc, argv, 2, 50000), sessions = number(argc, argv, 3, 50000);
	char dir[256], uri[300], key_file[300];
	struct err e = { 0 };

	(void)snprintf(dir, sizeof dir, "%s/bench-store-XXXXXX", argc > 4 ? argv[4] : "/tmp");
	if (mkdtemp(dir) == NULL)
		return perror(dir), 1;
	(void)snprintf(uri, sizeof uri, "sqlite:%s/store.db", dir);
	(void)snprintf(key_file, sizeof key_file, "%s/key", dir);
	struct store_conf conf = { .uri = uri, .key_file = key_file, .create = true };
	if (store_key_create(key_file, &e) != ERR_OK || loop_new(&b.loop, &e) != ERR_OK ||
	    ops->open(&conf, b.loop, NULL, NULL, &b.store, &e) != ERR_OK)
		return (void)fprintf(stderr, "bench_store: %s\n", e.msg), 1;
	(void)printf("%s, %" PRIu64 " devices\n", dir, b.devices);
	b.devices = (b.devices + BATCH - 1) / BATCH * BATCH;
	fill_record(&b.record);
	run(&b, "device puts, batches of 100", ask_put, b.devices / BATCH, 1, BATCH);
	run(&b, "device gets, one at a time", ask_get, gets / 10 + 1, 1, 1);
	run(&b, "device gets, 256 waiting", ask_get, gets, 256, 1);
	run(&b, "session puts, one at a time", ask_session, sessions / 50 + 1, 1, 1);
	run(&b, "session puts, 64 waiting", ask_session, sessions / 4 + 1, 64, 1);
	run(&b, "session puts, 4096 waiting", ask_session, sessions, 4096, 1);
	run(&b, "session puts, again", ask_session, sessions, 4096, 1);
	struct clocks from = clocks_now();
	ops->close(b.store);
	report("close", &from, 1);
	from = clocks_now();
	if (ops->open(&conf, b.loop, NULL, NULL, &b.store, &e) != ERR_OK)
		return (void)fprintf(stderr, "bench_store: %s\n", e.msg), 1;
	report("open", &from, 1);
	ops->close(b.store);
	loop_free(b.loop);
	clean_up(dir);
	b.record.endpoint = NULL;
	bs_record_clear(&b.record);
	return b.failed != 0;
}
