// A simulated ZODB writer and a file system to spy on and interfere with, for the tests of the tail.
#ifndef ZRS_TESTS_FILESTORAGE_TAIL_TEST_SUPPORT_H_
#define ZRS_TESTS_FILESTORAGE_TAIL_TEST_SUPPORT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "filestorage/boundary.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"
#include "filestorage/tail.h"
#include "tests/support/file_builder.h"

namespace zrs::tests {

// A directory of its own below `parent`, by default the test's temporary directory, removed at the end.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(const std::string& parent = "");
  ~ScratchDirectory();
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A transaction with one record of `data_size` bytes (at least 1) that depend on the tid.
tests::TransactionSpec Transaction(filestorage::Tid tid, size_t data_size);

// The boundary behind `transaction`, the only one looked at, that begins at `offset`.
filestorage::Boundary BoundaryBehind(absl::string_view transaction, uint64_t offset);

// Writes a file as ZODB does: votes with status 'c' (in three writes), then turns the status byte or truncates. Dies
// (CHECK) when the file system fails.
class SimulatedWriter {
 public:
  // Creates the file with its magic, or goes on behind `end` of the one that is there.
  SimulatedWriter(filestorage::FileSystem& file_system, const std::string& path);
  SimulatedWriter(filestorage::FileSystem& file_system, const std::string& path, const filestorage::Boundary& end);

  void Vote(const tests::TransactionSpec& transaction);
  void Finish();
  void Abort();
  void Commit(const tests::TransactionSpec& transaction);

  // Raw access, for damage.
  void WriteAt(uint64_t offset, absl::string_view bytes);
  void Truncate(uint64_t size);

  const filestorage::Boundary& end() const { return end_; }
  // The boundary that Finish will lead to.
  const filestorage::Boundary& voted() const { return voted_; }

 private:
  std::unique_ptr<filestorage::File> file_;
  filestorage::Boundary end_;
  filestorage::Boundary voted_;
  char voted_status_ = filestorage::kStatusComplete;
};

// What a Tail did through a SpyFileSystem, and what is to happen meanwhile.
struct Spy {
  uint64_t syncs = 0;
  uint64_t reads = 0;
  uint64_t read_bytes = 0;
  absl::Status sync_status;                                                      // what every sync answers
  std::function<void()> on_sync = [] {};                                         // before each sync
  std::function<void(absl::Span<char>)> on_read_done = [](absl::Span<char>) {};  // may change what was read
  // The read that is number `torn_read`, counted from 1 and only where it reaches past `torn_at`, stops there, runs
  // `torn`, and goes on: a copy of bytes that a writer changes meanwhile.
  uint64_t torn_at = 0;
  uint64_t torn_read = 0;
  std::function<void()> torn = [] {};
};

// Another file system with a spy in its files. Only what a Tail needs: opening for reading, and Stat.
class SpyFileSystem final : public filestorage::FileSystem {
 public:
  SpyFileSystem(filestorage::FileSystem& base, Spy& spy) : base_(base), spy_(spy) {}

  absl::StatusOr<std::unique_ptr<filestorage::File>> OpenForReading(const std::string& path) override;
  absl::StatusOr<filestorage::FileInfo> Stat(const std::string& path) override { return base_.Stat(path); }
  absl::StatusOr<filestorage::FileInfo> StatName(const std::string& path) override { return base_.StatName(path); }

  absl::StatusOr<std::unique_ptr<filestorage::File>> OpenForWriting(const std::string&) override;
  absl::StatusOr<std::unique_ptr<filestorage::File>> OpenOrCreate(const std::string&, uint32_t) override;
  absl::StatusOr<std::unique_ptr<filestorage::File>> CreateExclusively(const std::string&, uint32_t) override;
  absl::Status Rename(const std::string&, const std::string&) override;
  absl::Status Link(const std::string&, const std::string&) override;
  absl::Status Remove(const std::string&) override;
  absl::Status SyncDirectory(const std::string&) override;
  absl::Status CreateDirectories(const std::string&, uint32_t) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string&) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string&) override;

 private:
  filestorage::FileSystem& base_;
  Spy& spy_;
};

// Polls until nothing is left to do at once.
filestorage::TailReport PollToTheEnd(filestorage::Tail& tail);

}  // namespace zrs::tests

#endif  // ZRS_TESTS_FILESTORAGE_TAIL_TEST_SUPPORT_H_
