// A writer that does anything to a file while a tail looks on: every reported end is a boundary of the bytes that are
// there, it never goes back, and the file is only read.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "filestorage/boundary_probe.h"
#include "filestorage/tail.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/one_input.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::fuzz {
namespace {

using filestorage::Tail;
using filestorage::TailEvent;

constexpr char kPath[] = "/Data.fs";
constexpr int kMostPolls = 50;

class Run {
 public:
  explicit Run(Input input) : input_(input), file_(tests::FileBuilder().AddMany(2, 20)) {
    files_.SetContents(kPath, file_.bytes());
    options_.read_size = 1 + input_.Below(300);
    options_.max_bytes_per_poll = 1 + input_.Below(2000);
    Open({});
  }

  void Steps() {
    while (!input_.done()) {
      Write();
      Poll();
    }
  }

 private:
  void Open(const filestorage::Boundary& known) {
    tail_.reset();
    auto tail = Tail::Open(files_, kPath, options_, known);
    if (tail.ok()) {
      tail_ = *std::move(tail);
    } else {
      EXPECT_FALSE(tail.status().message().empty());
    }
  }

  void Write() {
    auto handle = files_.OpenOrCreate(kPath, 0644);
    const uint64_t size = files_.Contents(kPath).size();
    switch (input_.Below(8)) {
      case 0:
        EXPECT_TRUE((*handle)->WriteAt(input_.Below(size + 1), input_.Bytes(100)).ok());
        break;
      case 1:
        EXPECT_TRUE((*handle)->Truncate(input_.Below(size + 30)).ok());
        break;
      case 2:
        files_.SetContents("/other", input_.Bytes(200));
        EXPECT_TRUE(files_.Rename("/other", kPath).ok());
        break;
      case 3: {
        const filestorage::Boundary end = tail_ ? tail_->end() : filestorage::Boundary{};
        Open(end);
        break;
      }
      case 4:
        Open({});
        break;
      default:
        EXPECT_TRUE((*handle)->WriteAt(size, Transaction(size)).ok());
    }
  }

  std::string Transaction(uint64_t offset) {
    constexpr char kStatuses[] = {' ', 'p', 'u', 'c'};
    tests::TransactionSpec spec{.tid = input_.Byte(), .status = kStatuses[input_.Below(4)]};
    spec.user = std::string(input_.Bytes(10));
    for (size_t records = input_.Below(3); records > 0; --records) {
      spec.records.push_back({.oid = input_.Byte(), .data = std::string(input_.Bytes(50))});
    }
    const std::string bytes = tests::EncodeTransaction(spec, offset);
    return input_.Flip() ? bytes : bytes.substr(0, input_.Below(bytes.size() + 1));
  }

  void Poll() {
    if (!tail_) return;
    const std::string before = files_.Contents(kPath);
    for (int polls = 0; polls < kMostPolls; ++polls) {
      const filestorage::Boundary end = tail_->end();
      const auto report = tail_->Poll();
      ASSERT_TRUE(report.ok()) << report.status();
      EXPECT_GE(report->end.offset, end.offset);
      EXPECT_EQ(report->end, tail_->end());
      if (report->event == TailEvent::kAdvanced) {
        const auto file = files_.OpenForReading(kPath);
        EXPECT_TRUE(filestorage::HasBoundary(**file, tail_->magic(), report->end).value());
      }
      if (!report->more) break;
    }
    EXPECT_EQ(files_.Contents(kPath), before);
  }

  Input input_;
  tests::FileBuilder file_;
  tests::SimulatedFileSystem files_;
  filestorage::TailOptions options_;
  std::unique_ptr<Tail> tail_;
};

}  // namespace
}  // namespace zrs::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  zrs::fuzz::Run(zrs::fuzz::Input(data, size)).Steps();
  return 0;
}
