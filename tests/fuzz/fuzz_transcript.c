/* Kept transcripts: what is read back packs to the same octets again, and becomes JSON. */
#include <string.h>

#include "bsserver/store/transcript.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bs_record r = { 0 };
	struct gbuf out = { 0 };
	struct err e;

	if (transcript_unpack(data, size, &r, &e) == ERR_OK) {
		transcript_pack(&r, &out);
		FUZZ_MUST(out.len == size && memcmp(out.data, data, size) == 0, "other octets");
		gbuf_reset(&out);
		bs_record_transcript_json(&r, &out);
		FUZZ_MUST(out.len >= 2 && !out.failed, "no JSON");
	}
	gbuf_clear(&out);
	bs_record_clear(&r);
	return 0;
}
