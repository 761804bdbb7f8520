/*
 * tests/fuzz/fuzz.h: one fuzz target for each decoder of bytes from outside.
 *
 * A target is a file fuzz_NAME.c with one LLVMFuzzerTestOneInput() of at most 20 lines: it feeds
 * the bytes to the decoder, checks with FUZZ_MUST() what holds for all that is accepted and for all
 * that is refused, leaves nothing behind and returns 0. To add one, write it, put seeds (small;
 * some right, some wrong; the file's name says what it is) into tests/fuzz/seeds/NAME/, and add
 * three lines to local.mk. A content format needs one line of code: codec_fuzz() of codec.h.
 *
 * Without --enable-fuzzing replay.c is the main: "make check" feeds it all seeds, and
 * "tests/fuzz/fuzz_NAME FILE|FOLDER..." what is named. With CC=clang, --enable-fuzzing and
 * --enable-sanitizers it is a libFuzzer program:
 * "tests/fuzz/fuzz_NAME -max_total_time=30 FOUND ../tests/fuzz/seeds/NAME". An input that broke
 * something is kept as one more seed.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the bytes are: says what did not, and aborts. */
#define FUZZ_MUST(cond, ...)                                            \
	do {                                                            \
		if (!(cond)) {                                          \
			(void)fprintf(stderr, "%s:%d: ", __FILE__, __LINE__); \
			(void)fprintf(stderr, __VA_ARGS__);             \
			(void)fputc('\n', stderr);                      \
			abort();                                        \
		}                                                       \
	} while (0)

#endif
