#include "filestorage/boundary_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::filestorage {
namespace {

using tests::FileBuilder;
using tests::TestTid;

class BoundaryProbeTest : public testing::Test {
 protected:
  absl::StatusOr<bool> Probe(const Boundary& boundary, Magic magic = Magic::kFs30) {
    file_system_.SetContents("/Data.fs", bytes_);
    return HasBoundary(**file_system_.OpenForReading("/Data.fs"), magic, boundary);
  }

  FileBuilder file_ = FileBuilder().AddMany(5, 40);
  std::string bytes_ = file_.bytes();
  tests::SimulatedFileSystem file_system_;
};

TEST_F(BoundaryProbeTest, EveryBoundaryOfTheFileIsThere) {
  for (const Boundary& boundary : file_.boundaries()) EXPECT_TRUE(Probe(boundary).value()) << boundary.offset;
}

TEST_F(BoundaryProbeTest, ATransactionLargerThanOneRead) {
  file_.Add({.tid = TestTid(100), .records = {{.oid = 1, .data = std::string(1'000'000, 'x')}}});
  bytes_ = file_.bytes();
  EXPECT_TRUE(Probe(file_.end()).value());
  bytes_[bytes_.size() - 500'000] = 'y';
  EXPECT_FALSE(Probe(file_.end()).value());
}

TEST_F(BoundaryProbeTest, AnotherMagic) {
  for (const Boundary& boundary : file_.boundaries()) EXPECT_FALSE(Probe(boundary, Magic::kFs21).value());
  bytes_.replace(0, kMagicSize, "FS21");
  for (const Boundary& boundary : file_.boundaries()) EXPECT_FALSE(Probe(boundary).value());
  EXPECT_TRUE(Probe(FirstBoundary(Magic::kFs21), Magic::kFs21).value());
}

TEST_F(BoundaryProbeTest, AnotherTid) {
  Boundary boundary = file_.end();
  boundary.tid += 1;
  EXPECT_FALSE(Probe(boundary).value());
}

TEST_F(BoundaryProbeTest, AnotherDigest) {
  Boundary boundary = file_.end();
  boundary.digest.low ^= 1;
  EXPECT_FALSE(Probe(boundary).value());
}

TEST_F(BoundaryProbeTest, AnyOtherByteOfTheLastTransaction) {
  for (uint64_t i = file_.end().last_offset; i < file_.end().offset; ++i) {
    bytes_ = file_.bytes();
    bytes_[i] = static_cast<char>(bytes_[i] ^ 1);
    EXPECT_FALSE(Probe(file_.end()).value()) << "byte " << i;
  }
}

TEST_F(BoundaryProbeTest, EarlierBytesAreNotLookedAt) {
  bytes_[file_.end().last_offset - 1] ^= 1;
  EXPECT_TRUE(Probe(file_.end()).value());
}

TEST_F(BoundaryProbeTest, TransactionStillInProgress) {
  bytes_[file_.end().last_offset + kTransactionStatusOffset] = kStatusInProgress;
  EXPECT_FALSE(Probe(file_.end()).value());
}

TEST_F(BoundaryProbeTest, FileEndsBeforeIt) {
  bytes_.pop_back();
  EXPECT_FALSE(Probe(file_.end()).value());
  bytes_.resize(file_.end().last_offset);
  EXPECT_FALSE(Probe(file_.end()).value());
  bytes_.resize(10);
  EXPECT_FALSE(Probe(file_.end()).value());
}

TEST_F(BoundaryProbeTest, EmptyFile) {
  bytes_.clear();
  EXPECT_FALSE(Probe(file_.end()).value());
  EXPECT_FALSE(Probe(FirstBoundary(Magic::kFs30)).value());
  EXPECT_FALSE(Probe(Boundary{}).value());
}

TEST_F(BoundaryProbeTest, FileGoesOnBehindIt) {
  bytes_ += "anything";
  EXPECT_TRUE(Probe(file_.end()).value());
}

TEST_F(BoundaryProbeTest, LastOffsetOfAnEarlierTransaction) {
  Boundary boundary = file_.end();
  boundary.last_offset = file_.boundaries()[3].offset - 1;
  EXPECT_FALSE(Probe(boundary).value());
  boundary.last_offset = file_.boundaries()[3].last_offset;
  EXPECT_FALSE(Probe(boundary).value()) << "two transactions, not one";
}

TEST_F(BoundaryProbeTest, LastOffsetNotBelowOffset) {
  Boundary boundary = file_.end();
  boundary.last_offset = boundary.offset;
  EXPECT_FALSE(Probe(boundary).value());
  boundary.last_offset = boundary.offset + 1;
  EXPECT_FALSE(Probe(boundary).value());
  boundary.last_offset = ~uint64_t{0};
  EXPECT_FALSE(Probe(boundary).value());
}

TEST_F(BoundaryProbeTest, LastOffsetWithinTheMagic) {
  Boundary boundary = file_.end();
  for (uint64_t offset = 0; offset < kMagicSize; ++offset) {
    boundary.last_offset = offset;
    EXPECT_FALSE(Probe(boundary).value());
  }
}

TEST_F(BoundaryProbeTest, OffsetWithinTheMagic) {
  for (uint64_t offset = 0; offset < kMagicSize; ++offset) {
    EXPECT_FALSE(Probe({.offset = offset, .last_offset = 0, .tid = 0, .digest = {}}).value());
  }
}

TEST_F(BoundaryProbeTest, OffsetWithinATransaction) {
  Boundary boundary = file_.end();
  boundary.offset -= 1;
  EXPECT_FALSE(Probe(boundary).value());
}

TEST_F(BoundaryProbeTest, FirstBoundaryWithSomethingElse) {
  Boundary boundary = FirstBoundary(Magic::kFs30);
  boundary.tid = 1;
  EXPECT_FALSE(Probe(boundary).value());
  boundary = FirstBoundary(Magic::kFs30);
  boundary.digest = {};
  EXPECT_FALSE(Probe(boundary).value());
}

TEST_F(BoundaryProbeTest, HugeOffsetIsNotRead) {
  Boundary boundary = file_.end();
  boundary.offset = ~uint64_t{0};
  EXPECT_FALSE(Probe(boundary).value());
}

TEST_F(BoundaryProbeTest, InStepsNoMoreIsReadThanAsked) {
  file_.Add({.tid = TestTid(100), .records = {{.oid = 1, .data = std::string(1'000'000, 'x')}}});
  file_system_.SetContents("/Data.fs", file_.bytes());
  const auto opened = file_system_.OpenForReading("/Data.fs");
  const auto read = [&](uint64_t offset, absl::Span<char> out) { return (*opened)->ReadAt(offset, out); };
  constexpr uint64_t kStep = 256 << 10;
  for (const bool there : {true, false}) {
    Boundary boundary = file_.end();
    if (!there) boundary.digest.low ^= 1;
    BoundaryProbe probe(boundary);
    for (uint64_t step = 1; step < 4; ++step) {
      EXPECT_EQ(probe.Step(read, kStep).value(), BoundaryProbe::Answer::kNotYet);
      EXPECT_EQ(probe.bytes_read(), step * kStep);
    }
    EXPECT_EQ(probe.Step(read, kStep).value(),
              there ? BoundaryProbe::Answer::kThere : BoundaryProbe::Answer::kNotThere);
  }
}

TEST_F(BoundaryProbeTest, WhereTheTransactionEndsElsewhereNoMoreOfItIsRead) {
  file_.Add({.tid = TestTid(100), .records = {{.oid = 1, .data = std::string(1'000'000, 'x')}}});
  file_system_.SetContents("/Data.fs", file_.bytes() + std::string(1'000'000, 'y'));
  const auto opened = file_system_.OpenForReading("/Data.fs");
  Boundary boundary = file_.end();
  boundary.offset += 500'000;
  BoundaryProbe probe(boundary);
  const auto answer = probe.Step([&](uint64_t offset, absl::Span<char> out) { return (*opened)->ReadAt(offset, out); },
                                 std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(answer.value(), BoundaryProbe::Answer::kNotThere);
  EXPECT_EQ(probe.bytes_read(), 256u << 10);
}

TEST_F(BoundaryProbeTest, AReadThatFailsIsAnError) {
  file_system_.SetContents("/Data.fs", bytes_);
  const auto file = file_system_.OpenForReading("/Data.fs");
  for (int failing = 1; failing <= 2; ++failing) {
    int reads = 0;
    file_system_.SetHook([&](const tests::SimulatedOperation&) {
      return ++reads == failing ? absl::DataLossError("injected") : absl::OkStatus();
    });
    EXPECT_TRUE(absl::IsDataLoss(HasBoundary(**file, Magic::kFs30, file_.end()).status())) << "read " << failing;
  }
}

}  // namespace
}  // namespace zrs::filestorage
