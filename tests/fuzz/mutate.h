// Changes a protobuf message in one place.
#ifndef ZRS_TESTS_FUZZ_MUTATE_H_
#define ZRS_TESTS_FUZZ_MUTATE_H_

#include <google/protobuf/message.h>

#include "tests/fuzz/input.h"

namespace zrs::fuzz {

// Sets, clears, repeats or damages one field of the message or of one inside it, as `input` says.
void Mutate(Input& input, google::protobuf::Message& message);

}  // namespace zrs::fuzz

#endif  // ZRS_TESTS_FUZZ_MUTATE_H_
