// What may be left of a disk when a process is killed, or the power fails.
#ifndef ZRS_TESTS_SIDECAR_STORAGE_CRASH_OUTCOMES_H_
#define ZRS_TESTS_SIDECAR_STORAGE_CRASH_OUTCOMES_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/simulated_file_system.h"

namespace zrs::storage {

// Goes through them: everything as it is (the process was killed), everything unsynced lost, everything kept, and
// random ones; each state that a power loss leaves once, also over several calls.
class CrashOutcomes {
 public:
  // `directories`: those whose files tell one state from another. `seeds`: random ones for each ForEach.
  CrashOutcomes(std::vector<std::string> directories, uint64_t seeds);

  // Calls `visit` with copies of `disk`, until a test has failed.
  void ForEach(const tests::SimulatedFileSystem& disk, uint64_t salt,
               const std::function<void(tests::SimulatedFileSystem&)>& visit);

 private:
  void Visit(const tests::SimulatedFileSystem& disk, const std::string& what, tests::CrashChooser& chooser,
             const std::function<void(tests::SimulatedFileSystem&)>& visit);
  // All that a disk without unsynced state is.
  std::string Fingerprint(tests::SimulatedFileSystem& disk) const;

  const std::vector<std::string> directories_;
  const uint64_t seeds_;
  std::set<std::string> seen_;
};

}  // namespace zrs::storage

#endif  // ZRS_TESTS_SIDECAR_STORAGE_CRASH_OUTCOMES_H_
