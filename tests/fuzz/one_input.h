// What libFuzzer calls, and the tests that replay a corpus.
#ifndef ZRS_TESTS_FUZZ_ONE_INPUT_H_
#define ZRS_TESTS_FUZZ_ONE_INPUT_H_

#include <cstddef>
#include <cstdint>

// Checks by GoogleTest's EXPECTs; whoever calls it decides what a failed one does. Always 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // ZRS_TESTS_FUZZ_ONE_INPUT_H_
