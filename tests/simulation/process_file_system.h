// The file system as one simulated process sees it: it dies with the process, and others act between its operations.
#ifndef ZRS_TESTS_SIMULATION_PROCESS_FILE_SYSTEM_H_
#define ZRS_TESTS_SIMULATION_PROCESS_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "filestorage/file_system.h"
#include "tests/simulation/seeded_random.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::simulation {

using FileOperation = tests::SimulatedOperation;

// What happens to the process instead of an operation, or on its way.
enum class Fate {
  kGo,
  kFail,  // the disk fails: DataLoss
  kDie,   // the process is killed here; a write may have been done in part
};

// Whoever decides what happens around the operations of one process.
class ProcessFate {
 public:
  virtual ~ProcessFate() = default;
  // Before each operation: other processes act here, on the same files.
  virtual Fate Before(const FileOperation& operation) = 0;
  // The process has just been killed by a kDie: from here on nothing it does has an effect. Called from deep inside
  // the process's own code, which must not be destroyed before it has returned.
  virtual void OnDied() = 0;
};

// Ways to lie to a process about its disk: they make a correct program behave as a broken one, for the tests of the
// simulation itself.
struct FileSystemLies {
  bool ignore_header_syncs = false;  // those of an uncommitted header and nothing else
  bool ignore_file_syncs = false;    // every sync of the data file
  bool ignore_directory_syncs = false;
  bool ignore_cuts = false;              // truncations of the data file do nothing
  bool hide_failed_syncs = false;        // a sync that fails says that it did not
  bool ignore_swap_syncs = false;        // those of the directory behind a rename that replaces the data file
  bool late_swap_syncs = false;          // those come only some operations after the next sync of another directory
  bool show_votes_as_committed = false;  // a status byte 'c' that is read alone or in a header reads as ' '
  bool keep_votes = false;               // a vote that was seen whole reads as it was, once its status has turned
  bool overwrite_saved = false;          // a file that is created beside the data file, as .trN, replaces what is there
  std::string late_state = "";  // path of a state file: one that tells of a swap comes some operations after that
  std::string path;             // of the data file they are about
};

// `base` (the host's disk), `fate` and `random` outlive it; it outlives its files. Not thread-safe.
class ProcessFileSystem : public filestorage::FileSystem {
 public:
  ProcessFileSystem(tests::SimulatedFileSystem& base, ProcessFate& fate, SeededRandom& random, FileSystemLies lies);
  ~ProcessFileSystem() override;

  // The process ends at once: its files are closed and its locks free; nothing it does has an effect any more, and
  // every call answers Unavailable. Idempotent.
  void Kill();
  bool dead() const { return dead_; }

  absl::StatusOr<std::unique_ptr<filestorage::File>> OpenForReading(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<filestorage::File>> OpenForWriting(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<filestorage::File>> OpenOrCreate(const std::string& path, uint32_t mode) override;
  absl::StatusOr<std::unique_ptr<filestorage::File>> CreateExclusively(const std::string& path, uint32_t mode) override;
  absl::StatusOr<filestorage::FileInfo> Stat(const std::string& path) override;
  absl::StatusOr<filestorage::FileInfo> StatName(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Link(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& directory) override;
  absl::Status CreateDirectories(const std::string& directory, uint32_t mode) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& directory) override;

 private:
  friend class ProcessFile;

  // OK when the operation is to happen.
  absl::Status Begin(const FileOperation& operation, filestorage::File* written = nullptr, absl::string_view data = {});
  void CountDown();
  // How much of a write in which the process is killed has happened.
  size_t PartOfWrite(uint64_t offset, size_t size);
  // Whether a renaming is one that has to wait for another.
  bool IsLateState(const std::string& from, const std::string& to) const;
  void LetStateCome();
  absl::StatusOr<std::unique_ptr<filestorage::File>> Wrap(absl::StatusOr<std::unique_ptr<filestorage::File>> file);

  tests::SimulatedFileSystem& base_;
  ProcessFate& fate_;
  SeededRandom& random_;
  const FileSystemLies lies_;
  bool dead_ = false;
  std::string swapped_in_;              // the directory that has a name of which the sync is ignored, or late
  uint64_t state_countdown_ = 0;        // operations until it gets it, behind a swap; 0: no swap was
  std::string waiting_state_;           // a state file that has not got its name yet
  uint64_t sync_countdown_ = 0;         // operations until a late sync; 0: none is under way
  std::set<class ProcessFile*> files_;  // those that are open
};

}  // namespace zrs::simulation

#endif  // ZRS_TESTS_SIMULATION_PROCESS_FILE_SYSTEM_H_
