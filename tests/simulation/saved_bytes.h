// What copies gave up is saved, and stays so.
#ifndef ZRS_TESTS_SIMULATION_SAVED_BYTES_H_
#define ZRS_TESTS_SIMULATION_SAVED_BYTES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/zrs/v1/admin.pb.h"
#include "tests/simulation/event_log.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::simulation {

// Watches the resyncs of each node, by its name and disk, and reports to the log's Violation:
//
//   lost         from the moment at which a resync begins, what the copy had committed is in the copy or saved beside
//                it, also after a power loss
//   the answer   tells of a file that holds exactly what was behind the place where the copy was cut, durably, or all
//                of the copy; and that was not there before
//   overwritten  what was saved before, by this or an earlier resync, stays as it is for ever
class SavedBytes {
 public:
  // The log outlives it.
  explicit SavedBytes(EventLog& log) : log_(log) {}

  // A resync is about to be asked for.
  void Begin(const std::string& node, const tests::SimulatedFileSystem& disk);
  // It was answered.
  void OnAnswer(const std::string& node, const tests::SimulatedFileSystem& disk, const v1::ResyncResponse& answer);
  // The process of the node has ended, perhaps in the middle of one, or its machine has crashed.
  void OnEnded(const std::string& node, const tests::SimulatedFileSystem& disk);
  // It is as it should be: one that was interrupted is over, too.
  void OnWell(const std::string& node) { records_[node].cutting = false; }
  // The copy is being cut, or was left by a process that was: ZODB tells of the id of a transaction that goes.
  bool IsCutting(const std::string& node) const;
  // `disk`: of the node, now or after a power loss.
  void Check(const std::string& node, const tests::SimulatedFileSystem& disk);

  // Names of the files that hold what was saved beside a copy.
  static std::vector<std::string> Names(const tests::SimulatedFileSystem& disk);

 private:
  struct Record {
    std::optional<std::string> giving_up;  // all that the copy had when a resync began; it is under way
    std::string all;                       // what its answer is to be about
    std::string contents;                  // of the file then
    bool cutting = false;
    std::map<std::string, std::string> kept;  // saved files that have to stay as they are
  };
  // Where what the copy has no more of `giving_up` is saved; empty where the copy has all.
  std::optional<std::string> FindRest(const tests::SimulatedFileSystem& disk, const Record& record) const;
  void Settle(const std::string& name, Record& record, const tests::SimulatedFileSystem& disk);

  EventLog& log_;
  std::map<std::string, Record> records_;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_SAVED_BYTES_H_
