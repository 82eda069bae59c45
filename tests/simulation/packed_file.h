// What a pack makes of a FileStorage's bytes.
#ifndef ZRS_TESTS_SIMULATION_PACKED_FILE_H_
#define ZRS_TESTS_SIMULATION_PACKED_FILE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tests/simulation/seeded_random.h"

namespace zrs::simulation {

// A pack of `file` (whole committed transactions) to a moment somewhere in it: of the transactions up to there some are
// dropped and the rest is marked as packed; those behind it, which were committed while it ran, are copied as they are.
// As in ZODB an object is there as it was at that moment or, as garbage is, not at all; and the last transaction up to
// it that has records is kept, since those are current. Those without records behind it go where `drop_end` says so,
// though it be the very last of the file.
std::string PackedFile(absl::string_view file, bool drop_end, SeededRandom& random);

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_PACKED_FILE_H_
