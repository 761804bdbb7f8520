/* tests/sim/report.h: what became of a fleet: counts, latencies, reasons; as text or JSON. */
#ifndef TESTS_SIM_REPORT_H
#define TESTS_SIM_REPORT_H

#include "tests/sim/fleet.h"

#define REASONS_MAX 16

struct report {
	uint64_t begun_us, ended_us, shown_us;
	unsigned total; /* bootstraps to come */
	unsigned provisioned, refused, failed, unexpected;
	unsigned registered, register_refused, updates, triggered; /* what followed */
	struct device_stats sum;
	uint32_t *latency_us; /* owned; of provisioned ones */
	size_t n_latency;
	struct {
		char text[160];
		unsigned n;
	} reasons[REASONS_MAX];
	size_t n_reasons, other_reasons;
};

enum err_code report_begin(struct report *r, const struct fleet_config *cfg, struct err *e);
void report_end(struct report *r);
/* One bootstrap is over; before holds what the device's counts were at its beginning. */
void report_device(struct report *r, const struct fleet_config *cfg, const struct device *d,
    const struct device_stats *before, uint64_t took_us);
/* On stderr, once a second from the third on, later every five. */
void report_progress(struct report *r, const struct fleet_config *cfg, unsigned active);
void report_print(struct report *r, const struct fleet_config *cfg, const struct net_stats *net);

#endif
