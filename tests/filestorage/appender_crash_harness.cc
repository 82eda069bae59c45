#include "tests/filestorage/appender_crash_harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/support/read_index_model.h"

namespace zrs::filestorage {
namespace {

using tests::SimulatedFileSystem;
using tests::SimulatedOperation;

// Mostly the extremes: they are what traps are made of.
class BiasedChooser : public tests::CrashChooser {
 public:
  explicit BiasedChooser(uint64_t seed) : random_(seed) {}
  size_t Choose(size_t options) override {
    const uint64_t kind = random_() % 5;
    if (kind < 2) return 0;
    if (kind < 4) return options - 1;
    return static_cast<size_t>(random_() % options);
  }

 private:
  std::mt19937_64 random_;
};

void ReadNumber(const char* name, uint64_t* value) {
  const char* text = std::getenv(name);
  if (text != nullptr && !absl::SimpleAtoi(text, value)) ADD_FAILURE() << name << " is no number: " << text;
}

// Whether the tid of the transaction at `offset` lies in two disk sectors, so that it turns a part at a time.
bool TidInTwoSectors(uint64_t offset) { return offset / 512 != (offset + 7) / 512; }

// Whether each of the two parts of `tid` is that of `before` or of `real`.
bool IsMixed(Tid tid, uint64_t offset, Tid before, Tid real) {
  const int rest = 64 - 8 * static_cast<int>(512 - offset % 512);
  const auto head = [&](Tid each) { return each >> rest; };
  const auto tail = [&](Tid each) { return each << (64 - rest); };
  return (head(tid) == head(before) || head(tid) == head(real)) &&
         (tail(tid) == tail(before) || tail(tid) == tail(real));
}

bool HasRecords(absl::string_view transaction) {
  const TransactionHeader header = DecodeTransactionHeader(transaction);
  return header.length > header.HeaderAndStringsSize();
}

// Whether `header` is what is left of a turn whose sync failed: recovery cuts that, whatever it showed.
bool IsTurnedBack(absl::string_view header) {
  const TransactionHeader decoded = DecodeTransactionHeader(header);
  return decoded.status == kStatusInProgress && decoded.length < uint64_t{1} << 56;
}

constexpr const char* kKinds[] = {"open", "create", "read",   "write",          "truncate",           "sync", "stat",
                                  "lock", "rename", "remove", "sync directory", "create directories", "list"};

}  // namespace

tests::TransactionSpec Transaction(uint64_t n, size_t data_size, char status) {
  return {.tid = tests::TestTid(n),
          .status = status,
          .user = "",
          .description = "",
          .extension = std::string(23, 'e'),
          .records = {{.oid = n, .data = std::string(data_size, static_cast<char>('a' + n))}}};
}

tests::FileBuilder EndingAt(uint64_t end) {
  return tests::FileBuilder().Add(Transaction(1, static_cast<size_t>(end - kMagicSize - kOverhead)));
}

CrashOptions CrashOptionsFromEnvironment() {
  CrashOptions options;
  uint64_t samples = options.samples;
  ReadNumber("ZRS_CRASH_SEED", &options.seed);
  ReadNumber("ZRS_CRASH_SAMPLES", &samples);
  options.samples = static_cast<size_t>(samples);
  return options;
}

CrashChecker::CrashChecker(const tests::FileBuilder& primary)
    : primary_(primary), options_(CrashOptionsFromEnvironment()) {}

void CrashChecker::Check(const SimulatedFileSystem& disk, const Boundary& acknowledged, const std::string& where) {
  SCOPED_TRACE(absl::StrCat("crash before ", where, ", ", acknowledged.offset, " bytes acknowledged"));
  ForEachOutcome(disk, options_.samples, [&](SimulatedFileSystem& crashed) {
    const size_t hash = std::hash<std::string>()(crashed.Contents(kPath));
    if (!seen_.insert({hash, acknowledged.offset}).second) return;
    CheckState(crashed, acknowledged, true);
  });
}

void CrashChecker::ForEachOutcome(const SimulatedFileSystem& disk, size_t samples,
                                  const std::function<void(SimulatedFileSystem&)>& visit) {
  if (disk.CrashOutcomes() <= 4 * samples) {
    tests::EveryOutcome every;
    do {
      const auto clone = disk.Clone();
      clone->Crash(every);
      visit(*clone);
    } while (every.Next() && !testing::Test::HasFailure());
    return;
  }
  const auto visit_one = [&](tests::CrashChooser& chooser) {
    const auto clone = disk.Clone();
    clone->Crash(chooser);
    visit(*clone);
  };
  tests::LoseEverything lose;
  visit_one(lose);
  tests::KeepEverything keep;
  visit_one(keep);
  for (size_t i = 0; i < samples && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(absl::StrCat("ZRS_CRASH_SEED=", options_.seed, ", crash ", ++crashes_));
    BiasedChooser chooser(options_.seed * 1000003 + crashes_);
    visit_one(chooser);
  }
}

void CrashChecker::CheckState(SimulatedFileSystem& disk, const Boundary& acknowledged, bool crash_recovery) {
  Found found;
  CheckReadIndex(disk.Contents(kPath), acknowledged, &found);
  if (testing::Test::HasFailure()) return;
  CheckRecovery(disk, acknowledged, found, crash_recovery);
}

void CrashChecker::CheckReadIndex(const std::string& contents, const Boundary& acknowledged, Found* found) {
  const tests::ReadIndexResult result = tests::ReadIndexModel(contents);
  ASSERT_FALSE(result.refused) << "ZODB refuses the file: " << result.reason;
  ASSERT_LE(result.end, contents.size());
  const auto& boundaries = primary_.boundaries();
  const auto boundary = std::find_if(boundaries.begin(), boundaries.end(),
                                     [&](const Boundary& each) { return each.offset == result.end; });
  ASSERT_NE(boundary, boundaries.end()) << "ZODB finds an end at " << result.end << " where the primary has none";
  ASSERT_EQ(contents.compare(0, result.end, primary_.bytes(), 0, result.end), 0)
      << "ZODB reads other bytes than the primary's before " << result.end;
  ASSERT_GE(result.end, acknowledged.offset) << "acknowledged transactions are lost";
  const bool last = boundary + 1 == boundaries.end();
  if (result.last_tid != boundary->tid) {
    ASSERT_FALSE(last) << "lastTransaction() is of no transaction";
    ASSERT_TRUE(
        result.last_tid == (boundary + 1)->tid ||
        (TidInTwoSectors(result.end) && IsMixed(result.last_tid, result.end, boundary->tid, (boundary + 1)->tid)))
        << "lastTransaction() is neither that of the prefix, which ends at " << result.end << ", nor the next one";
  }
  *found = {.end = *boundary, .last_tid = result.last_tid, .next = static_cast<size_t>(boundary - boundaries.begin())};
}

void CrashChecker::CheckRecovery(SimulatedFileSystem& disk, const Boundary& acknowledged, const Found& found,
                                 bool crash_recovery) {
  if (crash_recovery) {
    disk.SetHook([&](const SimulatedOperation& operation) {
      if (!operation.IsChange() || testing::Test::HasFailure()) return absl::OkStatus();
      SCOPED_TRACE(absl::StrCat("crash of recovery before ", kKinds[static_cast<size_t>(operation.kind)]));
      ForEachOutcome(disk, options_.recovery_samples,
                     [&](SimulatedFileSystem& again) { CheckState(again, acknowledged, false); });
      return absl::OkStatus();
    });
  }
  const std::string header = disk.Contents(kPath).substr(found.end.offset, kTransactionHeaderSize);
  const bool turned_back = header.size() == kTransactionHeaderSize && IsTurnedBack(header);
  Recovery recovery;
  auto appender = Appender::Open(disk, kPath, acknowledged, &recovery);
  disk.SetHook(nullptr);
  ASSERT_TRUE(appender.ok()) << appender.status();
  ASSERT_GE(recovery.end.offset, found.end.offset) << "recovery cut what ZODB finds";
  if (recovery.finished_bytes == 0) {
    ASSERT_EQ(recovery.end, found.end) << "recovery and ZODB disagree";
  }
  if (found.last_tid != found.end.tid && !turned_back) {
    ASSERT_TRUE(recovery.finished_bytes > 0 ||
                (TidInTwoSectors(found.end.offset) && !HasRecords(primary_.transaction(found.next + 1))))
        << "ZODB was told of a transaction that is gone";
  }
  finished_ += recovery.finished_bytes > 0 ? 1 : 0;
  const uint64_t end = recovery.end.offset;
  ASSERT_EQ(recovery.saved_to, "") << "our own tail was saved";
  ASSERT_EQ(disk.Contents(kPath), primary_.bytes().substr(0, end));
  tests::LoseEverything lose;
  const auto durable = disk.Clone();
  durable->Crash(lose);
  ASSERT_EQ(durable->Contents(kPath), primary_.bytes().substr(0, end)) << "recovery is not durable";
  if (end < primary_.size()) {
    ASSERT_TRUE((*appender)->Append(primary_.bytes().substr(end)).ok());
    ASSERT_TRUE((*appender)->Commit(primary_.end()).ok());
  }
  ASSERT_EQ(disk.Contents(kPath), primary_.bytes());
}

CrashDriver::CrashDriver(const tests::FileBuilder& primary, size_t start, size_t page_size)
    : primary_(primary), disk_(page_size), checker_(primary), acknowledged_(primary.boundaries()[start]) {
  disk_.SetContents(kPath, primary.bytes().substr(0, acknowledged_.offset));
  disk_.SetHook([this](const SimulatedOperation& operation) { return OnOperation(operation); });
}

CrashDriver::~CrashDriver() {
  CloseAppender();
  disk_.SetHook(nullptr);
}

absl::Status CrashDriver::OnOperation(const SimulatedOperation& operation) {
  if (operation.IsChange() && !testing::Test::HasFailure()) {
    checker_.Check(disk_, acknowledged_,
                   absl::StrCat(kKinds[static_cast<size_t>(operation.kind)], " of ", operation.size, " bytes at ",
                                operation.offset, ", operation ", operation.number));
  }
  if (operation.kind == fail_kind_ && fail_count_ > 0 && --fail_count_ == 0) return fail_status_;
  return absl::OkStatus();
}

void CrashDriver::Open() {
  CloseAppender();
  Recovery recovery;
  auto appender = Appender::Open(disk_, kPath, acknowledged_, &recovery);
  ASSERT_TRUE(appender.ok()) << appender.status();
  appender_ = *std::move(appender);
  acknowledged_ = recovery.end;
}

void CrashDriver::CloseAppender() { appender_.reset(); }

void CrashDriver::AppendUpTo(size_t n, size_t piece) {
  const uint64_t end = primary_.boundaries()[n].offset;
  while (appender_->tail_end() < end && !testing::Test::HasFailure()) {
    const uint64_t size = std::min<uint64_t>(piece, end - appender_->tail_end());
    Append(absl::string_view(primary_.bytes()).substr(appender_->tail_end(), size));
  }
}

void CrashDriver::Append(absl::string_view bytes) {
  const absl::Status status = appender_->Append(bytes);
  ASSERT_TRUE(status.ok()) << status;
}

void CrashDriver::Commit(size_t n, size_t following, bool more_expected) {
  const Boundary& end = primary_.boundaries()[n];
  const absl::Status status =
      appender_->Commit(end, absl::string_view(primary_.bytes()).substr(end.offset, following), more_expected);
  ASSERT_TRUE(status.ok()) << status;
  acknowledged_ = end;
  checker_.Check(disk_, acknowledged_, "going on");
}

void CrashDriver::MakeRoom(uint64_t bytes) {
  const absl::Status status = appender_->MakeRoom(bytes);
  ASSERT_TRUE(status.ok()) << status;
  checker_.Check(disk_, acknowledged_, "going on");
}

void CrashDriver::Cut() {
  const absl::Status status = appender_->Cut();
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(disk_.Contents(kPath).size(), acknowledged_.offset);
  checker_.Check(disk_, acknowledged_, "going on");
}

void CrashDriver::Tidy() {
  const absl::Status status = appender_->Tidy();
  ASSERT_TRUE(status.ok()) << status;
  checker_.Check(disk_, acknowledged_, "going on");
}

void CrashDriver::FailOnce(SimulatedOperation::Kind kind, int count, absl::Status status) {
  fail_kind_ = kind;
  fail_count_ = count;
  fail_status_ = std::move(status);
}

}  // namespace zrs::filestorage
