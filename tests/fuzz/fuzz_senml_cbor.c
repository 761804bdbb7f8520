#include "tests/fuzz/codec.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return codec_fuzz(lwm2m_format(LWM2M_CF_SENML_CBOR), data, size);
}
