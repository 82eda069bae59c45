// Any file, listed and indexed: transactions that are in it, in their order; an index exactly where the file is sound,
// or an error that leaves nothing behind.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "filestorage/index/index_builder.h"
#include "filestorage/transaction_log.h"
#include "filestorage/verify.h"
#include "tests/fuzz/one_input.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::fuzz {
namespace {

constexpr char kPath[] = "/Data.fs";

void ListOnce(tests::SimulatedFileSystem& files, const std::string& bytes) {
  uint64_t end = 0;
  uint64_t count = 0;
  const absl::StatusOr<filestorage::LogReport> report =
      filestorage::ReadTransactionLog(files, kPath, {}, [&](const filestorage::LoggedTransaction& transaction) {
        EXPECT_GE(transaction.position, end);
        end = transaction.position + transaction.size;
        EXPECT_LE(end, bytes.size());
        EXPECT_LE(transaction.user.size() + transaction.description.size(), transaction.size);
        ++count;
        return true;
      });
  if (!report.ok()) {
    EXPECT_TRUE(absl::IsInvalidArgument(report.status())) << report.status();
    return;
  }
  EXPECT_LE(report->end, bytes.size());
  EXPECT_EQ(report->sound, report->reason.empty()) << report->reason;
  if (report->is_tail) return;
  const filestorage::VerifyReport verified = *filestorage::Verify(files, kPath, nullptr);
  EXPECT_EQ(report->sound, verified.sound);
  EXPECT_EQ(report->end, verified.end.offset);
  EXPECT_EQ(count, verified.transactions);
}

void IndexOnce(tests::SimulatedFileSystem& files) {
  const filestorage::VerifyReport verified = *filestorage::Verify(files, kPath, nullptr);
  const auto report = filestorage::BuildIndex(files, kPath, {.memory_limit = 0});
  EXPECT_EQ(files.List("/")->size(), report.ok() ? 2u : 1u);
  if (!report.ok()) {
    const bool has_version = absl::StrContains(report.status().message(), "belongs to a version");
    EXPECT_TRUE(!verified.sound || has_version) << report.status();
    return;
  }
  EXPECT_TRUE(verified.sound);
  EXPECT_EQ(report->position, verified.end.offset);
  EXPECT_LE(report->objects, verified.records);
  const std::string index = files.Contents("/Data.fs.index");
  const auto again = filestorage::BuildIndex(files, kPath, {.go_on = true});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->objects, report->objects);
  EXPECT_EQ(files.Contents("/Data.fs.index"), index);
}

}  // namespace
}  // namespace zrs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  zrs::tests::SimulatedFileSystem files;
  files.SetContents(zrs::fuzz::kPath, bytes);
  zrs::fuzz::ListOnce(files, bytes);
  zrs::fuzz::IndexOnce(files);
  return 0;
}
