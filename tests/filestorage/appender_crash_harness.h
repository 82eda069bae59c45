// Crashes an appender at each of its steps, with every subset of the unsynced state surviving, and checks what is left.
#ifndef ZRS_TESTS_FILESTORAGE_APPENDER_CRASH_HARNESS_H_
#define ZRS_TESTS_FILESTORAGE_APPENDER_CRASH_HARNESS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "filestorage/appender.h"
#include "filestorage/format.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {

inline constexpr char kPath[] = "Data.fs";

// A transaction with one record of `data_size` bytes. An extension of 23 bytes makes the end of a torn header look like
// a redundant length.
tests::TransactionSpec Transaction(uint64_t n, size_t data_size, char status = kStatusComplete);
// What such a transaction has beside its data.
inline constexpr size_t kOverhead = kTransactionHeaderSize + 23 + kDataHeaderSize + kLengthSize;
// A builder whose first transaction ends at `end`.
tests::FileBuilder EndingAt(uint64_t end);

// How much is tried. More by the environment: ZRS_CRASH_SEED=n, ZRS_CRASH_SAMPLES=n.
struct CrashOptions {
  uint64_t seed = 1;
  size_t samples = 40;          // of each step that has more than four times as many outcomes
  size_t recovery_samples = 4;  // the same for each step of each recovery
};
CrashOptions CrashOptionsFromEnvironment();

// Checks, for each outcome of a crash:
//   - ZODB opens the file, and finds a prefix of the primary's bytes that ends at a transaction's end and has
//   everything
//     that was acknowledged; its last tid is that prefix's, or that of a transaction which recovery is to finish;
//   - Appender::Open finds the same, or a group more, one whose tid ZODB was shown; cuts the rest without saving it,
//   and
//     goes on to byte equality;
//   - a crash during that recovery leaves the same again.
class CrashChecker {
 public:
  explicit CrashChecker(const tests::FileBuilder& primary);

  // `acknowledged`: what a power loss now must not take. `where` is for people.
  void Check(const tests::SimulatedFileSystem& disk, const Boundary& acknowledged, const std::string& where);

  // Different contents that were checked.
  size_t states() const { return seen_.size(); }
  // Recoveries that finished a group's turn.
  size_t finished() const { return finished_; }

 private:
  void ForEachOutcome(const tests::SimulatedFileSystem& disk, size_t samples,
                      const std::function<void(tests::SimulatedFileSystem&)>& visit);
  void CheckState(tests::SimulatedFileSystem& disk, const Boundary& acknowledged, bool crash_recovery);
  // What ZODB finds, and the tid that it was told.
  struct Found {
    Boundary end;
    Tid last_tid = 0;
    size_t next = 0;  // how many transactions there are up to `end`
  };
  void CheckReadIndex(const std::string& contents, const Boundary& acknowledged, Found* found);
  void CheckRecovery(tests::SimulatedFileSystem& disk, const Boundary& acknowledged, const Found& found,
                     bool crash_recovery);

  const tests::FileBuilder& primary_;
  const CrashOptions options_;
  uint64_t crashes_ = 0;
  size_t finished_ = 0;
  std::set<std::pair<size_t, uint64_t>> seen_;  // hash of the contents, what was acknowledged
};

// An appender on a simulated disk, fed from the primary's bytes; everything it does is checked before each change.
class CrashDriver {
 public:
  // The file has the primary's first `start` transactions.
  CrashDriver(const tests::FileBuilder& primary, size_t start, size_t page_size);
  ~CrashDriver();

  // Opens, or opens again, without a crash.
  void Open();
  // Appends the primary's bytes up to the end of its n-th transaction, in pieces of `piece` bytes.
  void AppendUpTo(size_t n, size_t piece = SIZE_MAX);
  void Append(absl::string_view bytes);
  // Commits up to the n-th transaction, which is told that `following` bytes are known behind it, or that more is
  // expected.
  void Commit(size_t n, size_t following = 0, bool more_expected = false);
  void MakeRoom(uint64_t bytes);
  void Cut();
  void Tidy();
  // The next operation of `kind`, counted from 1, answers `status`; from then on none does.
  void FailOnce(tests::SimulatedOperation::Kind kind, int count, absl::Status status);

  tests::SimulatedFileSystem& disk() { return disk_; }
  Appender& appender() { return *appender_; }
  void CloseAppender();
  const Boundary& acknowledged() const { return acknowledged_; }
  size_t states() const { return checker_.states(); }
  size_t finished() const { return checker_.finished(); }

 private:
  absl::Status OnOperation(const tests::SimulatedOperation& operation);

  const tests::FileBuilder& primary_;
  tests::SimulatedFileSystem disk_;
  CrashChecker checker_;
  Boundary acknowledged_;
  std::unique_ptr<Appender> appender_;
  tests::SimulatedOperation::Kind fail_kind_{};
  int fail_count_ = 0;
  absl::Status fail_status_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_TESTS_FILESTORAGE_APPENDER_CRASH_HARNESS_H_
