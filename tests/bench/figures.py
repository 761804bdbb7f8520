"""What rounds of the bench come to."""
import statistics

TICKS_MIN = 250  # the standard error of a share that is sampled so often is 3 %


def row_of(got):
    n = got["bootstraps"]
    return {
        "bootstraps": n,
        "rate": got["rate"],
        "cpu_us": got["server_cpu_us"] / n,
        "core": got["server_cpu_us"] / (got["seconds"] * 1e6),
        "load_cpu_us": got["cpu_us"] / n,
        "exchanges": got["exchanges"] / n,
        "user_ticks": got["server_ticks"][0],
        "kernel_ticks": got["server_ticks"][1],
        "p50_ms": got["latency_ms"]["p50"],
        "p99_ms": got["latency_ms"]["p99"],
        "max_ms": got["latency_ms"]["max"],
    }


def kernel_share(rows):
    """Of the server's CPU time, over all rounds; "-" when the clock ticked too rarely to say it to some 3 %."""
    kernel = sum(r["kernel_ticks"] for r in rows)
    ticks = kernel + sum(r["user_ticks"] for r in rows)
    return "%.0f %%" % (100 * kernel / ticks) if ticks >= TICKS_MIN else "-"


def medians(rows):
    return {k: statistics.median(r[k] for r in rows) for k in rows[0]}


def paired(over, under, key):
    """Median of the ratios within each round, least and greatest: a noisy minute spoils both sides of its round alike."""
    ratios = sorted(a[key] / b[key] for a, b in zip(over, under))
    return statistics.median(ratios), " (rounds: %.3f..%.3f)" % (ratios[0], ratios[-1])
