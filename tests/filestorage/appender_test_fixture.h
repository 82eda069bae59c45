// An appender on a simulated disk, and a primary's bytes to feed it with.
#ifndef ZRS_TESTS_FILESTORAGE_APPENDER_TEST_FIXTURE_H_
#define ZRS_TESTS_FILESTORAGE_APPENDER_TEST_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "filestorage/appender.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {

inline constexpr char kPath[] = "Data.fs";

class AppenderTest : public testing::Test {
 protected:
  AppenderTest() { primary_.AddMany(6, 400); }
  // Closing the appender is not traced any more.
  ~AppenderTest() override { disk_.SetHook(nullptr); }

  const Boundary& boundary(size_t n) const { return primary_.boundaries()[n]; }
  std::string Bytes(size_t n) const { return primary_.bytes().substr(0, boundary(n).offset); }
  std::string Transactions(size_t from, size_t to) const {
    return primary_.bytes().substr(boundary(from - 1).offset, boundary(to).offset - boundary(from - 1).offset);
  }

  // Opens a file with the primary's first `n` transactions and `tail` behind them.
  absl::Status OpenWith(size_t n, absl::string_view tail, size_t lower_bound = 0) {
    appender_.reset();
    disk_.SetContents(kPath, absl::StrCat(Bytes(n), tail));
    return Open(boundary(lower_bound));
  }
  absl::Status Open(const Boundary& lower_bound) {
    appender_.reset();
    auto opened = Appender::Open(disk_, kPath, lower_bound, &recovery_);
    if (opened.ok()) appender_ = *std::move(opened);
    return opened.status();
  }

  // Records what changes the file from here on: "write 23@4", "sync", "truncate 100".
  void Trace() {
    disk_.SetHook([this](const tests::SimulatedOperation& operation) {
      if (operation.kind == tests::SimulatedOperation::Kind::kWrite)
        trace_.push_back(absl::StrCat("write ", operation.size, "@", operation.offset));
      if (operation.kind == tests::SimulatedOperation::Kind::kTruncate)
        trace_.push_back(absl::StrCat("truncate ", operation.size));
      if (operation.kind == tests::SimulatedOperation::Kind::kSync) trace_.push_back("sync");
      return absl::OkStatus();
    });
  }
  void Fail(tests::SimulatedOperation::Kind kind, absl::Status status) {
    disk_.SetHook([kind, status](const tests::SimulatedOperation& operation) {
      return operation.kind == kind ? status : absl::OkStatus();
    });
  }

  tests::FileBuilder primary_;
  tests::SimulatedFileSystem disk_;
  Recovery recovery_;
  std::unique_ptr<Appender> appender_;
  std::vector<std::string> trace_;
};

}  // namespace zrs::filestorage

#endif  // ZRS_TESTS_FILESTORAGE_APPENDER_TEST_FIXTURE_H_
