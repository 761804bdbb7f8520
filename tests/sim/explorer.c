/*
 * The explorer: walks every state that the session machine can reach, under every event, for small
 * plans, and lets the oracle look at every step. It ends because a session ends: the graph of states
 * has no cycle but late answers that are ignored. Then it proves that it can fail.
 *
 *	explorer [PLAN [EVENT...]]   all plans; one; or one path of one plan, event by event
 *
 * A violation prints the shortest path to it, to be given back as arguments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "tests/sim/explore.h"

#define MERGES_TRIED 8 /* one in so many paths into a known state is walked on, to see that it is the same state */

struct edge {
	uint32_t from, to; /* to: states.n when the event was ignored */
	uint8_t stim;
};

struct node {
	uint64_t hash;
	uint32_t parent; /* of the shortest path; itself for the start */
	uint8_t stim;
	uint16_t depth;
	uint32_t first_edge, n_edges; /* of those that lead on; once it was walked */
	bool done;
	double paths; /* from here to an end */
	unsigned longest;
};

struct walk {
	const struct plan *plan;
	const struct mutant *mutant;
	struct node *nodes;
	size_t n, cap;
	struct edge *edges;
	size_t n_edges, cap_edges;
	uint32_t *slots; /* by hash; 0: free, else node + 1 */
	size_t n_slots;
	size_t ignored, merges, tried;
	size_t verdicts[BS_VERDICT__COUNT];
	/* the first violation */
	enum rule broken;
	uint8_t path[PATH_MAX_EVENTS];
	size_t path_len;
};

static size_t
path_of(const struct walk *w, uint32_t node, uint8_t *out)
{
	size_t len = w->nodes[node].depth;

	for (size_t at = len; at > 0; at--) {
		out[at - 1] = w->nodes[node].stim;
		node = w->nodes[node].parent;
	}
	return len;
}

static void
violation(struct walk *w, enum rule rule, uint32_t node, size_t stim)
{
	if (w->broken != HOLDS)
		return;
	w->broken = rule;
	w->path_len = path_of(w, node, w->path);
	if (stim < n_menu && w->path_len < PATH_MAX_EVENTS)
		w->path[w->path_len++] = (uint8_t)stim;
}

/* ---- the table of states ---- */

static uint32_t *
slot_of(const struct walk *w, uint64_t hash)
{
	size_t at = hash & (w->n_slots - 1);

	while (w->slots[at] != 0 && w->nodes[w->slots[at] - 1].hash != hash)
		at = (at + 1) & (w->n_slots - 1);
	return &w->slots[at];
}

static void
more_slots(struct walk *w)
{
	free(w->slots);
	w->n_slots = w->n_slots == 0 ? 1024 : w->n_slots * 2;
	w->slots = calloc(w->n_slots, sizeof *w->slots);
	if (w->slots == NULL)
		abort();
	for (size_t i = 0; i < w->n; i++)
		*slot_of(w, w->nodes[i].hash) = (uint32_t)i + 1;
}

/* The state with that hash; *is_new when it was not known. */
static uint32_t
state_of(struct walk *w, uint64_t hash, uint32_t parent, uint8_t stim, bool *is_new)
{
	struct node *arr;
	uint32_t *slot;

	if (w->n * 2 >= w->n_slots)
		more_slots(w);
	slot = slot_of(w, hash);
	*is_new = *slot == 0;
	if (*slot != 0)
		return *slot - 1;
	arr = grow(w->nodes, w->n, &w->cap, sizeof *arr);
	if (arr == NULL)
		abort();
	w->nodes = arr;
	arr[w->n] = (struct node){ .hash = hash, .parent = parent, .stim = stim };
	arr[w->n].depth = w->n == 0 ? 0 : (uint16_t)(arr[parent].depth + 1);
	*slot = (uint32_t)++w->n;
	return (uint32_t)w->n - 1;
}

static void
add_edge(struct walk *w, uint32_t from, uint32_t to, size_t stim)
{
	struct edge *arr = grow(w->edges, w->n_edges, &w->cap_edges, sizeof *arr);

	if (arr == NULL)
		abort();
	w->edges = arr;
	arr[w->n_edges++] = (struct edge){ .from = from, .to = to, .stim = (uint8_t)stim };
}

/* ---- walking ---- */

/* A run that stands at the end of a path. The path was walked before: nothing breaks on it. */
static void
walk_to(const struct walk *w, struct run *r, const uint8_t *path, size_t len)
{
	run_begin(r, w->plan, w->mutant);
	r->again = true;
	for (size_t i = 0; i < len; i++)
		(void)run_step(r, path[i]);
	r->again = false;
}

/* What is not waited for changes nothing: one run stands for all of these. */
static void
try_late(struct walk *w, uint32_t node, struct run *r)
{
	uint64_t hash = w->nodes[node].hash;

	for (size_t i = 0; i < n_menu && w->broken == HOLDS; i++) {
		enum rule rule;

		if (run_takes(r, menu[i].type))
			continue;
		rule = run_step(r, i);
		if (rule == HOLDS && run_hash(r) != hash)
			rule = R_LATE;
		if (rule != HOLDS)
			violation(w, rule, node, i);
		w->ignored++;
	}
}

/* The two paths are one state: then every event does the same to both. */
static void
try_merge(struct walk *w, uint32_t node, const uint8_t *path, size_t len)
{
	const struct node *n = &w->nodes[node];

	w->tried++;
	for (uint32_t i = 0; i < n->n_edges && w->broken == HOLDS; i++) {
		const struct edge *e = &w->edges[n->first_edge + i];
		struct run r;

		walk_to(w, &r, path, len);
		if (run_step(&r, e->stim) != HOLDS || run_hash(&r) != w->nodes[e->to].hash) {
			w->broken = R_MERGED;
			memcpy(w->path, path, len);
			w->path[len] = e->stim;
			w->path_len = len + 1;
		}
		run_end(&r);
	}
}

static void
step_from(struct walk *w, uint32_t node, size_t stim, const uint8_t *path, size_t len, bool *ignored)
{
	struct run r;
	enum rule rule;
	uint32_t to;
	bool is_new;

	walk_to(w, &r, path, len);
	if (!*ignored) {
		*ignored = true;
		try_late(w, node, &r);
	}
	if (!run_takes(&r, menu[stim].type) || !run_offers(&r, &menu[stim]) || w->broken != HOLDS)
		goto out;
	rule = run_step(&r, stim);
	if (rule == HOLDS && len + 2 >= PATH_MAX_EVENTS)
		rule = R_ENDLESS;
	if (rule != HOLDS) {
		violation(w, rule, node, stim);
		goto out;
	}
	to = state_of(w, run_hash(&r), node, (uint8_t)stim, &is_new);
	add_edge(w, node, to, stim);
	if (is_new && r.act.type == BS_ACT_RECORD)
		w->verdicts[r.s.rec.verdict]++;
	w->nodes[to].done |= r.act.type == BS_ACT_DONE;
	w->merges += !is_new;
out:
	run_end(&r);
}

static void
expand(struct walk *w, uint32_t node)
{
	uint8_t path[PATH_MAX_EVENTS];
	size_t len = path_of(w, node, path);
	bool ignored = false;

	w->nodes[node].first_edge = (uint32_t)w->n_edges;
	for (size_t i = 0; i < n_menu && w->broken == HOLDS; i++)
		step_from(w, node, i, path, len, &ignored);
	w->nodes[node].n_edges = (uint32_t)w->n_edges - w->nodes[node].first_edge;
	if (w->broken == HOLDS && !w->nodes[node].done && w->nodes[node].n_edges == 0)
		violation(w, R_ENDLESS, node, n_menu);
}

static void
check_merges(struct walk *w)
{
	uint8_t path[PATH_MAX_EVENTS];
	size_t seen = 0;

	for (size_t i = 0; i < w->n_edges && w->broken == HOLDS; i++) {
		const struct edge e = w->edges[i];
		size_t len;

		if ((w->nodes[e.to].parent == e.from && w->nodes[e.to].stim == e.stim) || w->nodes[e.to].done ||
		    w->nodes[e.to].n_edges == 1 || seen++ % MERGES_TRIED != 0)
			continue;
		len = path_of(w, e.from, path);
		path[len++] = e.stim;
		try_merge(w, e.to, path, len);
	}
}

enum color { NEW, ENTERED, COUNTED };

/* Its successors are counted. */
static void
count_node(struct walk *w, uint32_t id)
{
	struct node *node = &w->nodes[id];

	node->paths = node->done ? 1 : 0;
	for (uint32_t i = 0; i < node->n_edges; i++) {
		const struct node *to = &w->nodes[w->edges[node->first_edge + i].to];

		node->paths += to->paths;
		node->longest = MAX(node->longest, to->longest + 1);
	}
}

/* Successors that are to be counted first, onto the stack. One that was entered and is not counted: a cycle. */
static size_t
enter_node(struct walk *w, uint32_t id, const uint8_t *colors, uint32_t *stack, size_t n)
{
	const struct node *node = &w->nodes[id];

	for (uint32_t i = 0; i < node->n_edges; i++) {
		const struct edge *e = &w->edges[node->first_edge + i];

		if (colors[e->to] == ENTERED)
			violation(w, R_ENDLESS, id, e->stim);
		if (colors[e->to] == NEW)
			stack[n++] = e->to;
	}
	return n;
}

/* Paths from each node to an end, and the longest of them; depth first with a stack of our own. */
static void
count_paths(struct walk *w)
{
	uint32_t *stack = calloc(w->n_edges + 2, sizeof *stack);
	uint8_t *colors = calloc(w->n + 1, 1);
	size_t n = 1;

	if (stack == NULL || colors == NULL)
		abort();
	while (n > 0 && w->broken == HOLDS) {
		uint32_t id = stack[n - 1];

		if (colors[id] == NEW) {
			colors[id] = ENTERED;
			n = enter_node(w, id, colors, stack, n);
			continue;
		}
		if (colors[id] == ENTERED)
			count_node(w, id);
		colors[id] = COUNTED;
		n--;
	}
	free(stack);
	free(colors);
}

static void
walk_all(struct walk *w, const struct plan *plan, const struct mutant *mutant)
{
	struct run r;
	bool is_new;

	*w = (struct walk){ .plan = plan, .mutant = mutant };
	run_begin(&r, plan, mutant);
	(void)state_of(w, run_hash(&r), 0, 0, &is_new);
	run_end(&r);
	for (size_t i = 0; i < w->n && w->broken == HOLDS; i++)
		expand(w, (uint32_t)i);
	if (w->broken == HOLDS)
		count_paths(w);
	if (w->broken == HOLDS)
		check_merges(w);
}

static void
walk_end(struct walk *w)
{
	free(w->nodes);
	free(w->edges);
	free(w->slots);
}

/* ---- telling ---- */

static unsigned tests;
static bool all_well = true;

static void
test_line(bool well, const char *what, const char *name)
{
	all_well &= well;
	printf("%s %u - %s %s\n", well ? "ok" : "not ok", ++tests, what, name);
}

static void
print_path(const struct walk *w)
{
	printf("#   explorer '%s'", w->plan->name);
	for (size_t i = 0; i < w->path_len; i++)
		printf(" %s", menu[w->path[i]].name);
	printf("\n");
}

/* The same path again must break the same rule, or it could not be looked into. */
static bool
repeats(const struct walk *w)
{
	enum rule rule = HOLDS;
	struct run r;

	run_begin(&r, w->plan, w->mutant);
	for (size_t i = 0; i < w->path_len && rule == HOLDS; i++)
		rule = run_step(&r, w->path[i]);
	run_end(&r);
	return rule == w->broken || w->broken == R_MERGED || w->broken == R_ENDLESS;
}

static void
test_plan(const struct plan *p)
{
	struct walk w;
	bool well;

	walk_all(&w, p, NULL);
	well = w.broken == HOLDS && w.verdicts[p->verify ? BS_VERDICT_PROVISIONED : BS_VERDICT_WRITTEN] > 0;
	printf("# %s: %zu states, %zu edges that lead on, %zu that are ignored, %.4g paths, the longest %u events; "
	       "%zu of %zu merged paths walked on; ends: %zu well, %zu failed, %zu refused, %zu cancelled\n",
	    p->name, w.n, w.n_edges, w.ignored, w.n > 0 ? w.nodes[0].paths : 0, w.nodes[0].longest, w.tried, w.merges,
	    w.verdicts[BS_VERDICT_PROVISIONED] + w.verdicts[BS_VERDICT_WRITTEN], w.verdicts[BS_VERDICT_FAILED],
	    w.verdicts[BS_VERDICT_REFUSED], w.verdicts[BS_VERDICT_CANCELLED]);
	if (w.broken != HOLDS) {
		printf("# BROKEN: %s; the shortest path:\n", rule_texts[w.broken]);
		print_path(&w);
	}
	test_line(well, "every state of the plan:", p->name);
	walk_end(&w);
}

static const struct plan *
find_plan(const char *name)
{
	for (size_t i = 0; i < n_plans; i++)
		if (strcmp(plans[i].name, name) == 0)
			return &plans[i];
	return NULL;
}

static void
test_mutant(const struct mutant *m)
{
	struct walk w;

	walk_all(&w, find_plan(m->plan), m);
	if (w.broken != HOLDS) {
		printf("# %s: seen after %zu states: %s\n", m->name, w.n, rule_texts[w.broken]);
		print_path(&w);
	}
	test_line(w.broken == m->rule && repeats(&w), "a machine that is wrong is found out: it", m->name);
	walk_end(&w);
}

/* A rule that nothing can break would be no rule. */
static void
test_rules(void)
{
	for (int rule = HOLDS + 1; rule < RULES; rule++) {
		bool there = false;

		for (size_t i = 0; i < n_mutants; i++)
			there |= mutants[i].rule == (enum rule)rule;
		test_line(there, "this would be seen:", rule_texts[rule]);
	}
}

static void
print_step(const struct run *r, const char *name)
{
	static const char *const acts[BS_ACT__COUNT] = { "nothing", "lookup", "vet", "reply", "send", "inspect", "keep", "handoff",
		"settle", "record", "done" };
	char code[5] = "";

	printf("%-16s -> %-16s %s", name, bs_state_name(r->s.state), acts[r->act.type]);
	if (r->act.type == BS_ACT_SEND)
		printf(" %s %s", bs_method_name(r->act.send.method),
		    r->act.send.finish ? "/bs" : lwm2m_path_str(r->act.send.path).s);
	if (r->act.type == BS_ACT_REPLY) {
		bs_code_str(r->act.reply.code, code);
		printf(" %s", code);
	}
	if (r->act.type == BS_ACT_RECORD)
		printf(" %s at %s %s (%s)", bs_verdict_name(r->s.rec.verdict), bs_step_name(r->s.rec.step), r->s.rec.path,
		    bs_reason_name(r->s.rec.reason));
	printf("\n");
}

static int
replay(const struct plan *p, int n, char **names)
{
	enum rule rule = HOLDS;
	struct run r;

	run_begin(&r, p, NULL);
	for (int i = 0; i < n && rule == HOLDS; i++) {
		int stim = menu_find(names[i], strlen(names[i]));

		if (stim < 0) {
			fprintf(stderr, "explorer: no such event: %s\n", names[i]);
			return 2;
		}
		rule = run_step(&r, (size_t)stim);
		print_step(&r, names[i]);
	}
	printf("%s\n", rule_texts[rule]);
	run_end(&r);
	return rule != HOLDS;
}

int
main(int argc, char **argv)
{
	const struct plan *one = argc > 1 ? find_plan(argv[1]) : NULL;

	if (argc > 1 && one == NULL) {
		fprintf(stderr, "usage: explorer [PLAN [EVENT...]]\nexplorer: no such plan: %s\n", argv[1]);
		return 2;
	}
	if (argc > 2)
		return replay(one, argc - 2, argv + 2);
	for (size_t i = 0; i < n_plans; i++)
		if (one == NULL || one == &plans[i])
			test_plan(&plans[i]);
	for (size_t i = 0; i < n_mutants && one == NULL; i++)
		test_mutant(&mutants[i]);
	if (one == NULL)
		test_rules();
	printf("1..%u\n", tests);
	return all_well ? 0 : 1;
}
