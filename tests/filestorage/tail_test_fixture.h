// What the tests of the tail's events have in common: a writer and a Tail on one file, both on the operating system's
// files and on simulated ones.
#ifndef ZRS_TESTS_FILESTORAGE_TAIL_TEST_FIXTURE_H_
#define ZRS_TESTS_FILESTORAGE_TAIL_TEST_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "filestorage/posix_file_system.h"
#include "filestorage/tail.h"
#include "tests/filestorage/tail_test_support.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::tests {

enum class TailTestFiles { kPosix, kSimulated };

class TailTest : public testing::TestWithParam<TailTestFiles> {
 protected:
  TailTest() {
    if (GetParam() == TailTestFiles::kSimulated) {
      EXPECT_TRUE(simulated_.CreateDirectories("/data", 0755).ok());
      directory_ = "/data/";
    } else {
      base_ = &filestorage::PosixFileSystem();
      directory_ = scratch_.Path("");
    }
    path_ = directory_ + "Data.fs";
    writer_ = std::make_unique<SimulatedWriter>(*base_, path_);
  }

  void Open(const filestorage::Boundary& known = {}) {
    tail_.reset();
    auto tail = filestorage::Tail::Open(spied_, path_, options_, known);
    ASSERT_TRUE(tail.ok()) << tail.status();
    tail_ = *std::move(tail);
  }

  filestorage::TailReport Poll() {
    if (tail_ == nullptr) Open();
    auto report = tail_->Poll();
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : filestorage::TailReport{};
  }

  void ExpectOpenFails(absl::StatusCode code, const std::string& what, const filestorage::Boundary& known = {}) {
    auto tail = filestorage::Tail::Open(spied_, path_, options_, known);
    EXPECT_EQ(tail.status().code(), code) << tail.status();
    EXPECT_THAT(std::string(tail.status().message()), testing::HasSubstr(what));
  }

  void Rename(const std::string& from, const std::string& to) {
    ASSERT_TRUE(base_->Rename(directory_ + from, directory_ + to).ok());
  }

  // What a pack or a restore does: another file takes the name.
  void ReplaceFile() {
    SimulatedWriter other(*base_, path_ + ".pack");
    other.Commit(Transaction(77, 100));
    Rename("Data.fs.pack", "Data.fs");
  }

  // Commits one transaction and has it reported.
  void CommitAndPoll(filestorage::Tid tid, size_t data_size) {
    writer_->Commit(Transaction(tid, data_size));
    ASSERT_EQ(Poll().event, filestorage::TailEvent::kAdvanced);
  }

  // Writes `bytes` behind the committed end and expects them to be found corrupt, again and again.
  void ExpectCorrupt(const std::string& bytes, uint64_t position, const std::string& reason) {
    const filestorage::Boundary end = writer_->end();
    writer_->WriteAt(end.offset, bytes);
    for (int i = 0; i < 2; ++i) {
      const filestorage::TailReport report = Poll();
      EXPECT_EQ(report.event, filestorage::TailEvent::kCorrupt);
      EXPECT_EQ(report.position, position);
      EXPECT_THAT(report.reason, testing::HasSubstr(reason));
      EXPECT_EQ(report.end, end);
    }
  }

  std::string NextTransaction(const tests::TransactionSpec& transaction) {
    return tests::EncodeTransaction(transaction, writer_->end().offset);
  }

  ScratchDirectory scratch_;
  SimulatedFileSystem simulated_;
  filestorage::FileSystem* base_ = &simulated_;
  Spy spy_;
  std::string directory_;
  std::string path_;
  std::unique_ptr<SimulatedWriter> writer_;
  SpyFileSystem spied_{GetParam() == TailTestFiles::kSimulated ? static_cast<filestorage::FileSystem&>(simulated_)
                                                               : filestorage::PosixFileSystem(),
                       spy_};
  filestorage::TailOptions options_;
  std::unique_ptr<filestorage::Tail> tail_;
};

}  // namespace zrs::tests

#endif  // ZRS_TESTS_FILESTORAGE_TAIL_TEST_FIXTURE_H_
