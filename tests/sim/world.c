/* The clock of a world, what is in it, and what must hold at its end. */
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"

#define RECORD_MS 60000
#define LOOKUP_MS 20000
#define QUIET_MS (45ULL * 60 * 1000) /* longer than any pause, grace or doubt of a hand-off */
#define CALM_FOR_MS (40ULL * 60 * 1000) /* as long as devices may take once nothing fails any more */

/* ---- chance, and the log ---- */

/* Two calls of these in one expression would let the compiler choose the world. */

uint64_t
world_random(struct world *w, uint64_t below)
{
	uint64_t z = w->rng += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	z ^= z >> 31;
	return below == 0 ? 0 : z % below;
}

bool
world_chance(struct world *w, unsigned of_1000)
{
	return world_random(w, 1000) < of_1000;
}

void
world_log(struct world *w, const char *fmt, ...)
{
	char line[320];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	for (const char *s = line; *s != 0; s++)
		w->digest = (w->digest ^ (uint8_t)*s) * 0x100000001b3U;
	w->digest = (w->digest ^ w->now) * 0x100000001b3U;
	if (w->verbose)
		printf("# %9.3f %s\n", (double)w->now / 1000, line);
}

void
world_wrong(struct world *w, const char *fmt, ...)
{
	char line[sizeof w->wrong];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	world_log(w, "WRONG: %s", line);
	if (w->wrongs++ == 0)
		memcpy(w->wrong, line, sizeof line);
}

struct shadow *
world_shadow(struct world *w, uint64_t session)
{
	for (size_t i = w->n_shadows; i-- > 0;)
		if (w->shadows[i].id == session)
			return &w->shadows[i];
	abort(); /* the driver speaks of a session that nobody asked for */
}

/* ---- what happens when ---- */

static bool
is_before(const struct happening *a, const struct happening *b)
{
	return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->seq < b->seq);
}

static void
swap(struct happening *a, struct happening *b)
{
	struct happening c = *a;

	*a = *b;
	*b = c;
}

struct happening *
world_later(struct world *w, enum happening_kind kind, uint64_t in_ms)
{
	struct happening *arr = grow(w->heap, w->n_heap, &w->cap_heap, sizeof *arr);
	size_t at = w->n_heap++;

	if (arr == NULL)
		abort();
	w->heap = arr;
	arr[at] = (struct happening){ .at_ms = w->now + in_ms, .seq = ++w->n_happened, .epoch = w->epoch, .kind = kind };
	for (; at > 0 && is_before(&arr[at], &arr[(at - 1) / 2]); at = (at - 1) / 2)
		swap(&arr[at], &arr[(at - 1) / 2]);
	return &arr[at];
}

static struct happening
take_first(struct world *w)
{
	struct happening first = w->heap[0];
	size_t at = 0, child;

	w->heap[0] = w->heap[--w->n_heap];
	while ((child = 2 * at + 1) < w->n_heap) {
		child += child + 1 < w->n_heap && is_before(&w->heap[child + 1], &w->heap[child]);
		if (!is_before(&w->heap[child], &w->heap[at]))
			break;
		swap(&w->heap[child], &w->heap[at]);
		at = child;
	}
	return first;
}

/* ---- the server ---- */

static void
start_server(struct world *w)
{
	if (bs_driver_new(&w->conf, &w->driver, NULL) != ERR_OK)
		abort();
	w->wake_ms = 0;
	engine_start(w);
}

static void
stop_server(struct world *w)
{
	bs_driver_free(w->driver);
	w->driver = NULL;
	engine_stop(w);
}

/* All that was under way is gone; what the store acknowledged is there. */
static void
crash(struct world *w)
{
	world_log(w, "the server crashes, and starts again");
	w->crashes++;
	accounts_crash(w);
	stop_server(w);
	net_forget(w);
	w->epoch++;
	for (size_t i = 0; i < w->n_shadows && w->sabotage == LOSES_RECORDS; i++)
		w->shadows[i].durable = false;
	start_server(w);
}

struct ages {
	struct world *w;
	uint32_t limit;
};

static void
check_age(void *arg, const struct bs_live_info *info)
{
	const struct ages *a = arg;

	if (info->age_ms > a->limit)
		world_wrong(a->w, "session %llu is %u ms old", (unsigned long long)info->id, (unsigned)info->age_ms);
}

static void
check_driver(struct world *w)
{
	struct ages a = { .w = w, .limit = LOOKUP_MS };
	struct bs_driver_stats s;

	for (unsigned i = 0; i < w->n_dev; i++)
		a.limit = MAX(a.limit, w->dev[i].desired.session_timeout_ms);
	a.limit += RECORD_MS;
	bs_driver_each(w->driver, check_age, &a);
	bs_driver_stats(w->driver, &s);
	if (s.live > w->conf.max_sessions)
		world_wrong(w, "%zu sessions are live, %u may be", s.live, w->conf.max_sessions);
	if (w->n_exchanges > s.live)
		world_wrong(w, "%zu requests under way for %zu sessions", w->n_exchanges, s.live);
}

/* ---- strangers ---- */

/* One who has no key, or another's, says that it is a device that has one. */
static void
stranger_knocks(struct world *w)
{
	unsigned claims = (unsigned)world_random(w, w->n_dev);
	bool secure = world_chance(w, 500);
	char query[16];
	struct bs_query q = { .data = query };
	struct bs_knock k = { .queries = &q, .n_queries = 1 };
	uint64_t conn;

	if (!w->dev[claims].secure)
		return; /* who needs no key may be anybody */
	struct conn *arr = grow(w->conns, w->n_conns, &w->cap_conns, sizeof *arr);
	if (arr == NULL)
		abort();
	w->conns = arr;
	conn = w->n_conns++;
	arr[conn] = (struct conn){ .dev = STRANGER, .secure = secure, .alive = true };
	q.len = (size_t)snprintf(query, sizeof query, "ep=%s", w->dev[claims].endpoint);
	k.peer = (struct bs_peer){ .id = conn, .addr = "stranger", .mode = secure ? BS_PSK : BS_NOSEC };
	if (secure) {
		k.peer.identity = "id-9";
		k.peer.identity_len = 4;
	}
	k.request = net_add_knock(w, conn);
	world_log(w, "a stranger says it is %s", w->dev[claims].endpoint);
	bs_driver_knock(w->driver, &k);
}

/* ---- devices ---- */

static const char *const lies[] = { "write=store-nothing", "write=store-other", "write=store-part",
	"write=store-other-ssid", "delete=store-nothing", "write#1=4.00", "write#2=5.00", "write#1=done-5.00",
	"discover#2=list-omit", "discover=list-extra", "discover=list-other-ssid", "discover=list-two-accounts",
	"read=read-other", "read=read-omit", "read=read-extra", "finish=no-answer", "finish=4.06", "finish#1=4.06",
	"finish=done-5.00", "any#3=no-answer", "any#4=rst", "any#5=restart", "any#2=restart-new-port", "write=twice",
	"any=late", "finish=wrong-code", "any#3=malformed", "any#4=silent", "discover=garbage", "read=garbage",
	"write#1=wrong-token", "any#6=close", "any#2=ack-only", "discover=empty", "discover=no-format",
	"read=wrong-format", "request=non", "request=twice", "request=no-ep", "write#2=restart", "finish#1=restart" };
static const char *const likes[] = { "", "", "anjay", "anjay-lite", "leshan", "wakaama", "zephyr", "modem-1.0" };
static const enum device_quirk quirks[] = { DEVICE_Q_SEPARATE, DEVICE_Q_SLOW_SEPARATE, DEVICE_Q_FINISH_SEPARATE,
	DEVICE_Q_SLOW, DEVICE_Q_IGNORE_RETRANSMISSIONS, DEVICE_Q_CREATED_2_01, DEVICE_Q_DISCOVER_4_04,
	DEVICE_Q_READ_4_05, DEVICE_Q_DISCOVER_REVERSED, DEVICE_Q_FINISH_ENDS_SESSION };

static void
add_lies(struct world *w, struct sim_device *sd)
{
	unsigned n = world_chance(w, 350) ? 1 + (unsigned)world_random(w, 3) : 0;
	struct err e;

	for (unsigned i = 0; i < n; i++) {
		const char *lie = lies[world_random(w, N_ELEMS(lies))];

		/* what it stored wrongly stays where others' accounts are merged: it would be inconsistent for ever */
		if (strstr(lie, "store") != NULL && sd->desired.policy != PROFILE_REPLACE)
			continue;
		if (device_lie_parse(lie, &sd->cfg.lies[sd->cfg.n_lies++], &e) != ERR_OK)
			abort();
		world_log(w, "%s will lie: %s", sd->endpoint, lie);
	}
}

static void
make_tree(struct world *w, struct sim_device *sd)
{
	struct device_factory f = { .account = (uint16_t)world_random(w, 2), .hold_off = -1 };
	struct err e;

	f.uri = sd->secure ? "coaps://bs.example" : "coap://bs.example";
	f.mode = sd->secure ? 0 : 3;
	f.identity = sd->secure ? sd->identity : NULL;
	f.key = sd->secure ? "bootstrap key 16" : NULL;
	f.key_len = sd->secure ? 16 : 0;
	if (device_factory_tree(&sd->initial, &f, &e) != ERR_OK)
		abort();
	bool old = world_chance(w, 400), ours = world_chance(w, 500);
	if (old && device_add_account(&sd->initial, 5, 3, ours ? 101 : 9, "coap://old.example", &e) != ERR_OK)
		abort();
	sd->cfg.initial = &sd->initial;
}

static void
make_device(struct world *w, unsigned n, struct net_arg *arg)
{
	struct sim_device *sd = &w->dev[n];
	const char *like = likes[world_random(w, N_ELEMS(likes))];
	struct err e;

	(void)snprintf(sd->endpoint, sizeof sd->endpoint, "dev-%u", n);
	(void)snprintf(sd->identity, sizeof sd->identity, "id-%u", n);
	sd->secure = !world_chance(w, 250);
	device_config_init(&sd->cfg);
	if (like[0] != 0 && device_config_like(&sd->cfg, like, &e) != ERR_OK)
		abort();
	if (world_chance(w, 300))
		device_quirk_set(&sd->cfg.quirks, quirks[world_random(w, N_ELEMS(quirks))]);
	sd->cfg.max_attempts = 1000000;
	sd->cfg.retry_ms = 5000;
	sd->cfg.retry_max_ms = 30000;
	sd->cfg.hold_off_ms = (uint32_t)world_random(w, 20000);
	store_desired(w, sd);
	/* who does not show what it holds cannot be merged into: an old account of our server may stand in the way */
	if (device_quirk_has(&sd->cfg.quirks, DEVICE_Q_DISCOVER_4_04) ||
	    device_quirk_has(&sd->cfg.quirks, DEVICE_Q_DISCOVER_4_05) ||
	    device_quirk_has(&sd->cfg.quirks, DEVICE_Q_DISCOVER_4_00))
		sd->desired.policy = PROFILE_REPLACE;
	add_lies(w, sd);
	make_tree(w, sd);
	*arg = (struct net_arg){ w, n };
	world_log(w, "%s: %s, like %s, %s", sd->endpoint, sd->secure ? "PSK" : "NoSec", like[0] ? like : "the standard",
	    profile_policy_name(sd->desired.policy));
	sd->d = device_new(&sd->cfg, sd->endpoint, world_random(w, UINT32_MAX), &net_ops, arg, &e);
	if (sd->d == NULL)
		abort();
}

/* Nothing fails any more, and no device says anything: whatever was begun comes to its end. */
static void
fall_asleep(struct world *w)
{
	world_log(w, "all is quiet");
	w->faults = (struct faults){ .delay_ms = 50, .store_ms = 50, .server_ms = 500 };
	w->asleep = true;
}

/* Nobody lies any more: each device, provisioned or not, bootstraps once more. */
static void
calm_down(struct world *w)
{
	accounts_check(w);
	accounts_note_due(w);
	world_log(w, "from now on all goes well");
	w->asleep = false;
	for (unsigned i = 0; i < w->n_dev; i++) {
		w->dev[i].cfg.n_lies = 0;
		if (device_outcome(w->dev[i].d) != DEVICE_PENDING)
			device_start(w->dev[i].d, w->now);
		else
			device_restart(w->dev[i].d, w->now, true);
	}
}

/* ---- one thing after the other ---- */

static void
happen(struct world *w, const struct happening *h)
{
	struct sim_device *sd = &w->dev[h->dev % WORLD_DEVICES];

	switch (h->kind) {
	case TO_DEVICE:
		if (!w->asleep && sd->open && sd->conn == h->conn)
			device_input(sd->d, w->now, h->bytes.data, h->bytes.len);
		break;
	case TO_SERVER:
		net_to_server(w, h->conn, (unsigned)h->session, &h->bytes);
		break;
	case OPENED:
		net_opened(w, h->dev, h->conn, h->session);
		break;
	case OPEN_FAILED:
		if (sd->conn == h->conn)
			device_open_failed(sd->d, w->now, "no handshake");
		break;
	case CLOSED_AT_DEVICE:
		if (sd->open && sd->conn == h->conn) {
			sd->open = false;
			device_closed(sd->d, w->now, "the server closed it");
		}
		break;
	case CLOSED_AT_SERVER:
		if (w->conns[h->conn].alive) {
			w->conns[h->conn].alive = false;
			bs_driver_peer_gone(w->driver, h->conn, "the device closed its session");
		}
		break;
	case STORE_ANSWERS:
	case STORE_KEPT:
		if (h->epoch == w->epoch)
			h->kind == STORE_KEPT ? store_kept(w, h) : store_answers(w, h);
		break;
	case CRASH:
		crash(w);
		break;
	case RESTART_DEVICE:
		world_log(w, "%s restarts", sd->endpoint);
		device_restart(sd->d, w->now, world_chance(w, 500));
		break;
	case KNOCK_OF_STRANGER:
		stranger_knocks(w);
		break;
	case CHANGE_KEY:
		accounts_change(w, sd, (unsigned)h->session % sd->n_accounts);
		break;
	case REGISTERED:
		accounts_seen(w, sd);
		break;
	case QUIET:
		fall_asleep(w);
		break;
	case CALM:
		calm_down(w);
		break;
	}
}

static uint64_t
next_time(const struct world *w)
{
	uint64_t next = MIN(net_next(w), w->n_heap > 0 ? w->heap[0].at_ms : UINT64_MAX);

	if (w->wake_ms != 0 && w->sabotage != SLEEPS)
		next = MIN(next, w->wake_ms);
	next = MIN(next, wloop_next(w));
	for (unsigned i = 0; i < w->n_dev && !w->asleep; i++)
		next = MIN(next, device_next(w->dev[i].d));
	return MAX(next, w->now);
}

static void
turn(struct world *w)
{
	while (w->n_heap > 0 && w->heap[0].at_ms <= w->now) {
		struct happening h = take_first(w);

		happen(w, &h);
		gbuf_clear(&h.bytes);
	}
	wloop_tick(w);
	for (unsigned i = 0; i < w->n_dev && !w->asleep; i++)
		if (device_next(w->dev[i].d) <= w->now)
			device_tick(w->dev[i].d, w->now);
	net_tick(w);
	if (w->wake_ms != 0 && w->wake_ms <= w->now && w->sabotage != SLEEPS) {
		w->wake_ms = 0;
		bs_driver_tick(w->driver);
	}
	if (world_chance(w, 60))
		check_driver(w);
}

static bool
all_provisioned(const struct world *w)
{
	for (unsigned i = 0; i < w->n_dev; i++)
		if (device_outcome(w->dev[i].d) != DEVICE_WAS_PROVISIONED)
			return false;
	return true;
}

/* ---- a whole world ---- */

static void
choose_faults(struct world *w)
{
	struct faults *f = &w->faults;

	f->delay_ms = 20;
	if (!world_chance(w, 200)) {
		f->loss = (unsigned)world_random(w, 300);
		f->doubled = (unsigned)world_random(w, 200);
		f->delay_ms = (uint32_t)world_random(w, 3000);
		f->store_fails = (unsigned)world_random(w, 200);
		f->store_stalls = (unsigned)world_random(w, 100);
	}
	if (world_chance(w, 700)) {
		f->server_refuses = (unsigned)world_random(w, 200);
		f->server_down = (unsigned)world_random(w, 500);
		f->server_deaf = (unsigned)world_random(w, 300);
	}
	f->server_ms = world_chance(w, 200) ? 20000 : (uint32_t)world_random(w, 1000);
	f->store_ms = world_chance(w, 100) ? 30000 : (uint32_t)world_random(w, 2000);
	w->quiet_ms = w->now + 60000 + world_random(w, 600000);
	w->calm_ms = w->quiet_ms + QUIET_MS;
	for (uint64_t i = world_random(w, 3); i > 0; i--)
		(void)world_later(w, CRASH, world_random(w, w->quiet_ms - w->now));
	for (uint64_t i = world_random(w, 8); i > 0; i--)
		(void)world_later(w, KNOCK_OF_STRANGER, world_random(w, w->quiet_ms - w->now));
	for (uint64_t i = world_random(w, 4); i > 0; i--) {
		struct happening *h = world_later(w, CHANGE_KEY, world_random(w, w->quiet_ms - w->now));

		h->dev = (unsigned)world_random(w, w->n_dev);
		h->session = world_random(w, WORLD_ACCOUNTS);
	}
	for (uint64_t i = world_random(w, 4); i > 0; i--) {
		unsigned dev = (unsigned)world_random(w, w->n_dev);

		world_later(w, RESTART_DEVICE, 25000 + world_random(w, w->quiet_ms - w->now - 30000))->dev = dev;
	}
	(void)world_later(w, QUIET, w->quiet_ms - w->now);
	(void)world_later(w, CALM, w->calm_ms - w->now);
}

static void
world_begin(struct world *w)
{
	w->now = 1000;
	w->wall_ms = 1700000000000;
	w->digest = 0xcbf29ce484222325U;
	w->n_conns = w->n_knocks = 1; /* 0 is nobody's number */
	w->conns = calloc(w->cap_conns = 8, sizeof *w->conns);
	w->knocks = calloc(w->cap_knocks = 8, sizeof *w->knocks);
	if (w->conns == NULL || w->knocks == NULL)
		abort();
	w->n_dev = 1 + (unsigned)world_random(w, WORLD_DEVICES);
	w->conf = (struct bs_driver_conf){
		.model = lwm2m_model_builtin(),
		.max_sessions = 1000,
		.lookup_timeout_ms = LOOKUP_MS,
		.record_timeout_ms = RECORD_MS,
		.seed = w->seed,
	};
	if (world_chance(w, 200))
		w->conf.max_sessions = 1 + (unsigned)world_random(w, 3);
	store_ports(w, &w->conf.ports);
	servers_begin(w);
	engine_choose(w);
	start_server(w);
}

static void
check_end(struct world *w)
{
	struct bs_driver_stats s;

	for (unsigned i = 0; i < w->n_dev; i++) {
		if (device_outcome(w->dev[i].d) != DEVICE_WAS_PROVISIONED)
			world_wrong(w, "%s keeps trying, and is not provisioned: %s", w->dev[i].endpoint, device_reason(w->dev[i].d));
		else if (!store_agrees(&w->dev[i], false))
			world_wrong(w, "%s is provisioned, and lacks something", w->dev[i].endpoint);
		for (unsigned n = 0; n < w->dev[i].n_accounts; n++)
			if (w->dev[i].accounts[n].held != (int)w->dev[i].accounts[n].n_versions - 1)
				world_wrong(w, "%s is provisioned, and has an old credential", w->dev[i].endpoint);
	}
	accounts_check(w);
	accounts_check_due(w);
	bs_driver_stats(w->driver, &s);
	if (s.live != 0)
		world_wrong(w, "%zu sessions are left", s.live);
	for (size_t i = 1; i < w->n_knocks; i++)
		if (w->knocks[i].replies != 1 && w->knocks[i].epoch == w->epoch)
			world_wrong(w, "knock %zu was answered %u times", i, w->knocks[i].replies);
	for (size_t i = 0; i < w->n_shadows; i++) {
		const struct shadow *sh = &w->shadows[i];

		if (sh->records != 1 && sh->epoch == w->epoch)
			world_wrong(w, "session %llu was recorded %u times", (unsigned long long)sh->id, sh->records);
		if (sh->acknowledged && !sh->durable)
			world_wrong(w, "session %llu was acknowledged, and is lost", (unsigned long long)sh->id);
	}
}

static void
world_end(struct world *w)
{
	stop_server(w);
	wloop_end(w);
	rows_end(w);
	servers_end(w);
	for (unsigned i = 0; i < w->n_dev; i++) {
		accounts_end(&w->dev[i]);
		device_free(w->dev[i].d);
		lwm2m_tree_clear(&w->dev[i].initial);
		profile_desired_clear(&w->dev[i].desired);
	}
	for (size_t i = 0; i < w->n_heap; i++)
		gbuf_clear(&w->heap[i].bytes);
	for (size_t i = 0; i < w->n_exchanges; i++)
		gbuf_clear(&w->exchanges[i].bytes);
	for (size_t i = 1; i < w->n_knocks; i++)
		gbuf_clear(&w->knocks[i].answer);
	free(w->heap);
	free(w->exchanges);
	free(w->knocks);
	free(w->conns);
	free(w->shadows);
}

void
world_run(struct world *w, uint64_t seed, enum sabotage sabotage, bool verbose)
{
	struct net_arg args[WORLD_DEVICES];
	uint64_t quiet_ms = 0;

	*w = (struct world){ .seed = seed, .rng = seed * 0xd1342543de82ef95U + 1, .sabotage = sabotage, .verbose = verbose };
	wloop_begin(w);
	world_begin(w);
	for (unsigned i = 0; i < w->n_dev; i++)
		make_device(w, i, &args[i]);
	choose_faults(w);
	for (unsigned i = 0; i < w->n_dev; i++)
		device_start(w->dev[i].d, w->now);
	w->end_ms = w->calm_ms + CALM_FOR_MS;
	/* until all are provisioned, and long enough after that for the last deadline */
	while (w->now < w->end_ms && (quiet_ms == 0 || w->now < quiet_ms)) {
		uint64_t next = next_time(w);

		w->now = MIN(next, w->end_ms);
		turn(w);
		if (quiet_ms == 0 && w->now > w->calm_ms && all_provisioned(w))
			w->end_ms = quiet_ms = w->now + 400000;
	}
	check_driver(w);
	check_end(w);
	world_end(w);
}
