// A model of what ZODB's FileStorage does to its file as a writer: the system calls, in their order, one at a time.
#ifndef ZRS_TESTS_SIMULATION_SIMULATED_WRITER_H_
#define ZRS_TESTS_SIMULATION_SIMULATED_WRITER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"
#include "tests/simulation/event_log.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/simulated_watcher.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::simulation {

struct WriterOptions {
  uint64_t abort_one_in = 6;   // votes that are taken back
  uint64_t large_one_in = 40;  // transactions of up to `largest` bytes of data
  uint64_t largest = 200 << 10;
  uint64_t enough = 300 << 10;  // a file of so many bytes grows by small transactions only
};

// Commits random transactions: one write or several for the vote, the status byte, the sync; or an abort after the
// vote. All that it refers to outlives it. Not thread-safe.
class SimulatedWriter {
 public:
  SimulatedWriter(EventQueue& queue, tests::SimulatedFileSystem& disk, FileNotifications& notifications, EventLog& log,
                  std::string path, WriterOptions options);

  // Opens the file as ZODB does: creates it, or saves what follows the committed end to .trN and cuts it off. A file
  // that ZODB refuses after a power loss is cut to its sound part by a person first.
  void Open();
  bool is_open() const { return file_ != nullptr; }
  // The process is killed: what it did stays.
  void Kill();
  // The machine crashed (with the process): what is committed is read from the disk that survived.
  void OnHostCrash();

  // The database is opened on another host's disk, where its file is a beginning of that of `epoch`: an epoch begins.
  // Not while the file has no name (packing()).
  void MoveTo(tests::SimulatedFileSystem& disk, FileNotifications& notifications, size_t epoch);
  // A backup is in the file's place, durably: the first `end` bytes of the file of `epoch`. The database is to go on
  // from that: an epoch begins. Not while busy.
  void GoOnFromBackup(size_t epoch, uint64_t end);

  // Begins a pack, which the next Steps do: the packed file is written beside, the file becomes `.old`, the packed one
  // takes its name. Nothing while not open or busy. `drop_end`: as PackedFile.
  void BeginPack(bool drop_end);

  // The next system call, or the beginning of a transaction where none is under way. Nothing while not open.
  void Step();
  // Whether a transaction or a pack is under way.
  bool busy() const { return !steps_.empty(); }
  // A pack has taken the file's name from it.
  bool packing() const { return renamed_away_; }

  // The committed part of the file as any opener sees it now: the magic and all transactions whose status has turned.
  // Empty while there is no file.
  const std::string& history() const { return history_; }
  // How many packs, promotions and restored backups the file has behind it.
  size_t epoch() const { return past_.size(); }
  // The committed part of the file of that epoch: as it was left where it is an earlier one.
  const std::string& HistoryOf(size_t epoch) const { return epoch < past_.size() ? past_[epoch].history : history_; }
  // How much of it the pack that made it wrote.
  uint64_t PackedSizeOf(size_t epoch) const { return epoch < past_.size() ? past_[epoch].packed_size : packed_size_; }
  // Which file it was: another one after each pack and restored backup. A promotion goes on with the same, or with an
  // earlier one.
  uint64_t FileOf(size_t epoch) const { return epoch < past_.size() ? past_[epoch].file : file_number_; }
  // Whether that epoch was begun by a promotion, or with a restored backup.
  bool IsForked(size_t epoch) const { return epoch < past_.size() ? past_[epoch].forked : forked_; }
  // The epoch that began with the last restored backup which the file of `epoch` came of; 0: it came of none.
  size_t RestoredIn(size_t epoch) const { return epoch < past_.size() ? past_[epoch].restored : restored_; }
  uint64_t transactions() const { return transactions_; }

 private:
  void BeginTransaction();
  tests::TransactionSpec MakeTransaction();
  tests::RecordSpec MakeRecord(bool large);
  void PlanVote(const std::string& voted, size_t header_size);
  void PlanFinish(std::string committed, uint64_t first_record);
  void PlanAbort();
  void WriteAt(uint64_t offset, absl::string_view data);
  void SaveTail(const std::string& contents);
  void PutPackedFileInPlace();
  // Whether those bytes are all of a file of that epoch that a power loss can have left.
  bool IsOfEpoch(absl::string_view sound, size_t epoch) const;
  void GoBackTo(size_t epoch);
  void TakeBackRenaming();
  void MendOld();
  std::string OldPath() const { return path_ + ".old"; }
  filestorage::Tid NextTid();

  EventQueue& queue_;
  tests::SimulatedFileSystem* disk_;
  FileNotifications* notifications_;
  EventLog& log_;
  const std::string path_;
  const WriterOptions options_;

  std::unique_ptr<filestorage::File> file_;
  std::deque<std::function<void()>> steps_;  // system calls of the transaction under way
  struct Past {
    std::string history;
    uint64_t packed_size = 0;
    uint64_t synced = 0;  // so much of it the writer had synced
    uint64_t file = 0;
    bool forked = false;
    size_t restored = 0;
  };
  Past Present();
  std::vector<Past> past_;  // of each epoch before the present one
  std::string packed_;      // what the pack under way writes
  uint64_t packed_size_ = 0;
  uint64_t synced_ = 0;
  uint64_t files_ = 0;         // counts them
  uint64_t file_number_ = 0;   // of the present one
  bool forked_ = false;        // see IsForked
  size_t restored_ = 0;        // see RestoredIn
  bool renamed_away_ = false;  // the pack under way has taken the file's name from it
  std::string history_;
  std::vector<uint64_t> record_positions_;  // of committed data records, for back pointers
  filestorage::Tid last_tid_ = 0;
  uint64_t transactions_ = 0;
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_SIMULATED_WRITER_H_
