// What whoever opens a file finds in it: the model of ZODB's read_index, as the simulation asks it.
#ifndef ZRS_TESTS_SIMULATION_OPENER_H_
#define ZRS_TESTS_SIMULATION_OPENER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "filestorage/format.h"

namespace zrs::simulation {

struct Opened {
  bool refused = false;  // ZODB does not open such a file
  uint64_t end = 0;      // of the committed part; where refused, of what is sound before the damage; 0: no file
  filestorage::Tid last_tid = 0;  // what lastTransaction() answers
  std::string reason;             // why it is refused
};

// `contents`: of the whole file.
Opened OpenAsZodb(absl::string_view contents);

// Whether bytes follow the committed part that are no single transaction in progress, nor a beginning of one: what is
// left of votes where a host lost power.
bool EndsUnsound(absl::string_view contents);

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_OPENER_H_
