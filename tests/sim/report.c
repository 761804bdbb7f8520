#include "tests/sim/report.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/base/clock.h"
#include "tests/sim/coapmsg.h"
#include "tests/sim/registrations.h"

static const char *const outcomes[] = {
	[DEVICE_PENDING] = "pending",
	[DEVICE_WAS_PROVISIONED] = "provisioned",
	[DEVICE_WAS_REFUSED] = "refused",
	[DEVICE_HAS_FAILED] = "failed",
};

enum err_code
report_begin(struct report *r, const struct fleet_config *cfg, struct err *e)
{
	*r = (struct report){ .begun_us = clock_mono_us(), .total = cfg->count * cfg->repeat };
	r->latency_us = calloc(r->total, sizeof *r->latency_us);
	return r->latency_us == NULL ? err_no_memory(e) : ERR_OK;
}

void
report_end(struct report *r)
{
	free(r->latency_us);
	r->latency_us = NULL;
}

/* --- One device ------------------------------------------------------------------------------- */

static void
count_reason(struct report *r, const char *text)
{
	for (size_t i = 0; i < r->n_reasons; i++) {
		if (strncmp(r->reasons[i].text, text, sizeof r->reasons[i].text - 1) == 0) {
			r->reasons[i].n++;
			return;
		}
	}
	if (r->n_reasons == REASONS_MAX) {
		r->other_reasons++;
		return;
	}
	(void)snprintf(r->reasons[r->n_reasons].text, sizeof r->reasons[0].text, "%s", text);
	r->reasons[r->n_reasons++].n = 1;
}

static bool
is_expected(const struct fleet_config *cfg, const struct device *d)
{
	switch (cfg->expect) {
	case EXPECT_PROVISIONED:
		return device_outcome(d) == DEVICE_WAS_PROVISIONED;
	case EXPECT_REFUSED:
		return device_outcome(d) == DEVICE_WAS_REFUSED &&
		       (cfg->expect_code == 0 || device_code(d) == cfg->expect_code);
	case EXPECT_FAILED:
		return device_outcome(d) == DEVICE_HAS_FAILED;
	case EXPECT_ANY:
		return true;
	}
	return false;
}

static struct device_stats
difference(const struct device_stats *a, const struct device_stats *b)
{
	return (struct device_stats){
		.attempts = a->attempts - b->attempts,
		.commands = a->commands - b->commands,
		.writes = a->writes - b->writes,
		.deletes = a->deletes - b->deletes,
		.received = a->received - b->received,
		.sent = a->sent - b->sent,
		.retransmissions = a->retransmissions - b->retransmissions,
		.duplicates = a->duplicates - b->duplicates,
		.malformed = a->malformed - b->malformed,
		.complaints = a->complaints - b->complaints,
		.lies = a->lies - b->lies,
	};
}

static void
add(struct device_stats *sum, const struct device_stats *s)
{
	sum->attempts += s->attempts;
	sum->commands += s->commands;
	sum->writes += s->writes;
	sum->deletes += s->deletes;
	sum->received += s->received;
	sum->sent += s->sent;
	sum->retransmissions += s->retransmissions;
	sum->duplicates += s->duplicates;
	sum->malformed += s->malformed;
	sum->complaints += s->complaints;
	sum->lies += s->lies;
}

/* [{"after": 0, "server": 1}]: nobody is dead. */
static json_t *
json_of_registrations(const struct device *d)
{
	struct registration v[64];
	size_t n = registrations_play(device_tree(d), NULL, 0, v, sizeof v / sizeof *v);
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:I,s:i}", "after", (json_int_t)v[i].at_s, "server", (int)v[i].ssid));
	return list;
}

static void
print_json_line(const struct fleet_config *cfg, const struct device *d,
    const struct device_stats *s, uint64_t took_us)
{
	json_t *j = json_pack("{s:s,s:s,s:f,s:i,s:i}", "endpoint", device_endpoint(d), "outcome",
	    outcomes[device_outcome(d)], "ms", (double)took_us / 1000.0, "exchanges",
	    (int)(s->commands + s->attempts), "attempts", (int)s->attempts);
	if (device_code(d) != 0)
		(void)json_object_set_new(
		    j, "code", json_string(coapmsg_code_str(device_code(d)).s));
	if (device_reason(d)[0] != '\0')
		(void)json_object_set_new(j, "reason", json_string(device_reason(d)));
	if (cfg->tree) {
		struct gbuf t = { 0 };
		device_tree_print(cfg->device.model, device_tree(d), cfg->secrets, &t);
		(void)json_object_set_new(j, "tree", json_loadb(gbuf_cstr(&t), t.len, 0, NULL));
		gbuf_clear(&t);
	}
	if (cfg->registrations)
		(void)json_object_set_new(j, "registrations", json_of_registrations(d));
	(void)json_dumpf(j, stdout, JSON_COMPACT);
	(void)putchar('\n');
	(void)fflush(stdout);
	json_decref(j);
}

static void
print_line(const struct fleet_config *cfg, const struct device *d, const struct device_stats *s,
    uint64_t took_us)
{
	if (cfg->json) {
		print_json_line(cfg, d, s, took_us);
		return;
	}
	const char *code =
	    device_outcome(d) == DEVICE_WAS_REFUSED ? coapmsg_code_str(device_code(d)).s : "";
	(void)printf("%s: %s%s%s%s%s, %.1f ms, %u exchanges, attempt %u\n", device_endpoint(d),
	    outcomes[device_outcome(d)], code[0] != '\0' ? " " : "", code,
	    device_reason(d)[0] != '\0' ? ": " : "", device_reason(d), (double)took_us / 1000.0,
	    s->commands + s->attempts, s->attempts);
	if (cfg->tree) {
		struct gbuf t = { 0 };
		device_tree_print(cfg->device.model, device_tree(d), cfg->secrets, &t);
		(void)printf("%s\n", gbuf_cstr(&t));
		gbuf_clear(&t);
	}
	if (cfg->registrations) {
		struct registration v[64];
		size_t n = registrations_play(device_tree(d), NULL, 0, v, sizeof v / sizeof *v);

		for (size_t i = 0; i < n; i++)
			(void)printf("  registers with %u after %lld s\n", (unsigned)v[i].ssid, (long long)v[i].at_s);
	}
	(void)fflush(stdout);
}

void
report_device(struct report *r, const struct fleet_config *cfg, const struct device *d,
    const struct device_stats *before, uint64_t took_us)
{
	struct device_stats s = difference(device_stats(d), before);
	bool expected = is_expected(cfg, d);
	add(&r->sum, &s);
	r->unexpected += !expected;
	if (device_outcome(d) == DEVICE_WAS_PROVISIONED) {
		r->provisioned++;
		r->latency_us[r->n_latency++] = (uint32_t)MIN(took_us, (uint64_t)UINT32_MAX);
	} else {
		r->refused += device_outcome(d) == DEVICE_WAS_REFUSED;
		r->failed += device_outcome(d) != DEVICE_WAS_REFUSED;
		count_reason(r, device_reason(d));
	}
	if (cfg->lines || (!expected && r->unexpected <= 5 && !cfg->quiet))
		print_line(cfg, d, &s, took_us);
}

/* --- All of them ------------------------------------------------------------------------------ */

void
report_progress(struct report *r, const struct fleet_config *cfg, unsigned active)
{
	uint64_t now = clock_mono_us();
	uint64_t pause_us = now - r->begun_us < 10000000 ? 1000000 : 5000000;
	if (cfg->quiet || r->ended_us != 0 || now - r->begun_us < 2000000 ||
	    now - r->shown_us < pause_us)
		return;
	unsigned done = r->provisioned + r->refused + r->failed;
	double seconds = (double)(now - r->begun_us) / 1e6;
	(void)fprintf(stderr, "%.0f s: %u of %u over (%u not as expected), %u at work, %.0f/s\n",
	    seconds, done, r->total, r->unexpected, active, done / seconds);
	r->shown_us = now;
}

static int
by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static double
percentile_ms(const struct report *r, double p)
{
	if (r->n_latency == 0)
		return 0;
	size_t i = (size_t)(p * (double)(r->n_latency - 1) + 0.5);
	return r->latency_us[i] / 1000.0;
}

static double
cpu_us(void)
{
	struct rusage u;
	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void
print_json(const struct report *r, const struct fleet_config *cfg, const struct net_stats *net)
{
	double seconds = (double)(r->ended_us - r->begun_us) / 1e6;
	unsigned done = r->provisioned + r->refused + r->failed;
	json_t *reasons = json_object();
	for (size_t i = 0; i < r->n_reasons; i++)
		(void)json_object_set_new(
		    reasons, r->reasons[i].text, json_integer(r->reasons[i].n));
	json_t *j = json_pack("{s:I,s:I,s:I,s:I,s:I,s:f,s:f}", "bootstraps", (json_int_t)done,
	    "provisioned", (json_int_t)r->provisioned, "refused", (json_int_t)r->refused, "failed",
	    (json_int_t)r->failed, "unexpected", (json_int_t)r->unexpected, "seconds", seconds,
	    "rate", r->provisioned / seconds);
	(void)json_object_set_new(j, "latency_ms",
	    json_pack("{s:f,s:f,s:f,s:f}", "min", percentile_ms(r, 0), "p50", percentile_ms(r, 0.5),
	        "p99", percentile_ms(r, 0.99), "max", percentile_ms(r, 1)));
	(void)json_object_set_new(j, "exchanges", json_integer(r->sum.commands + r->sum.attempts));
	(void)json_object_set_new(j, "writes", json_integer(r->sum.writes));
	(void)json_object_set_new(j, "deletes", json_integer(r->sum.deletes));
	(void)json_object_set_new(j, "attempts", json_integer(r->sum.attempts));
	(void)json_object_set_new(j, "retransmissions", json_integer(r->sum.retransmissions));
	(void)json_object_set_new(j, "duplicates", json_integer(r->sum.duplicates));
	(void)json_object_set_new(j, "complaints", json_integer(r->sum.complaints));
	(void)json_object_set_new(j, "lies", json_integer(r->sum.lies));
	(void)json_object_set_new(j, "datagrams",
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "sent", (json_int_t)net->sent, "received",
	        (json_int_t)net->received, "sent_octets", (json_int_t)net->sent_octets,
	        "received_octets", (json_int_t)net->received_octets, "lost", (json_int_t)net->lost, "doubled",
	        (json_int_t)net->doubled, "strays", (json_int_t)net->strays, "unsent",
	        (json_int_t)net->unsent));
	(void)json_object_set_new(j, "cpu_us", json_real(cpu_us()));
	(void)json_object_set_new(j, "after",
	    json_pack("{s:I,s:I,s:I,s:I}", "registered", (json_int_t)r->registered, "refused",
	        (json_int_t)r->register_refused, "updates", (json_int_t)r->updates, "triggered",
	        (json_int_t)r->triggered));
	(void)json_object_set_new(j, "seed", json_integer((json_int_t)cfg->seed));
	(void)json_object_set_new(j, "reasons", reasons);
	json_t *line = json_pack("{s:o}", "summary", j);
	(void)json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
	(void)putchar('\n');
	json_decref(line);
}

static void
print_text(const struct report *r, const struct fleet_config *cfg, const struct net_stats *net)
{
	double seconds = (double)(r->ended_us - r->begun_us) / 1e6;
	unsigned done = r->provisioned + r->refused + r->failed;
	for (size_t i = 0; i < r->n_reasons; i++)
		(void)printf("%u x %s\n", r->reasons[i].n, r->reasons[i].text);
	if (r->other_reasons > 0)
		(void)printf("%zu x other reasons\n", r->other_reasons);
	(void)printf("%u provisioned, %u refused, %u failed of %u; %u not as expected\n",
	    r->provisioned, r->refused, r->failed, done, r->unexpected);
	(void)printf("%.3f s, %.0f bootstraps/s, %.1f exchanges each; ms: min %.2f, p50 %.2f, "
	             "p99 %.2f, max %.2f\n",
	    seconds, r->provisioned / seconds,
	    done == 0 ? 0.0 : (double)(r->sum.commands + r->sum.attempts) / done,
	    percentile_ms(r, 0), percentile_ms(r, 0.5), percentile_ms(r, 0.99),
	    percentile_ms(r, 1));
	(void)printf("%u attempts, %u retransmissions, %u duplicates, %u complaints, %u lies; "
	             "datagrams: %llu sent, %llu received, %llu lost, %llu doubled, %llu strays\n",
	    r->sum.attempts, r->sum.retransmissions, r->sum.duplicates, r->sum.complaints,
	    r->sum.lies, (unsigned long long)net->sent, (unsigned long long)net->received,
	    (unsigned long long)net->lost, (unsigned long long)net->doubled,
	    (unsigned long long)net->strays);
	(void)printf("CPU of the devices: %.0f us each; seed %llu\n",
	    done == 0 ? 0.0 : cpu_us() / done, (unsigned long long)cfg->seed);
}

void
report_print(struct report *r, const struct fleet_config *cfg, const struct net_stats *net)
{
	qsort(r->latency_us, r->n_latency, sizeof *r->latency_us, by_size);
	if (cfg->json)
		print_json(r, cfg, net);
	else
		print_text(r, cfg, net);
	(void)fflush(stdout);
}
