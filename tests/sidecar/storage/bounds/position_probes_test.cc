#include "sidecar/storage/publisher/position_probes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/simulated_runtime.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using filestorage::Boundary;

// A file in memory, and what was read of it.
class BytesInMemory final : public CommittedBytes {
 public:
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out) override {
    if (!error.ok()) return error;
    return ReadOf(bytes, offset, out);
  }
  bool RemembersPosition(const replication::OldPosition&) override { return remembers; }
  absl::StatusOr<size_t> ReadOld(uint64_t offset, absl::Span<char> out) override { return ReadOf(old, offset, out); }

  std::string bytes;
  std::string old;
  bool remembers = false;
  absl::Status error;
  uint64_t read = 0;

 private:
  size_t ReadOf(const std::string& from, uint64_t offset, absl::Span<char> out) {
    if (offset >= from.size()) return 0;
    const size_t size = std::min(out.size(), from.size() - static_cast<size_t>(offset));
    from.copy(out.data(), size, static_cast<size_t>(offset));
    read += size;
    return size;
  }
};

class PositionProbesTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kLong = 6 << 20;

  PositionProbesTest() {
    file_.AddMany(5, 100);
    file_.Add({.tid = tests::TestTid(100), .records = {{.oid = 1, .data = std::string(kLong, 'x')}}});
    bytes_.bytes = file_.bytes();
  }

  // Of one that stays connected: `answers` gets the answers in their order, with `name`.
  PositionProbes::Asker Asker(const std::string& name) {
    return {[] { return true; },
            [this, name](absl::StatusOr<bool> there) {
              answers_.push_back(name + (!there.ok() ? " failed" : *there ? " there" : " not there"));
            }};
  }
  void RunUntilAnswers(size_t count) {
    EXPECT_TRUE(queue_.RunUntil(queue_.now() + absl::Minutes(10), [&] { return answers_.size() >= count; }));
  }
  // A long transaction that the file has, and a digest that it has not.
  Boundary Lie(uint64_t number) const {
    Boundary boundary = file_.end();
    boundary.digest.low ^= number + 1;
    return boundary;
  }
  Boundary Short() const { return file_.boundaries()[3]; }

  tests::FileBuilder file_;
  BytesInMemory bytes_;
  simulation::EventQueue queue_{1};
  simulation::SimulatedRuntime runtime_{queue_, {.io_stall_one_in = 0}};
  std::shared_ptr<PositionProbes> probes_ =
      std::make_shared<PositionProbes>(runtime_, bytes_, /*rate=*/1 << 20, /*burst=*/4 << 20);
  std::vector<std::string> answers_;
};

TEST_F(PositionProbesTest, WhatIsThereAndWhatIsNot) {
  probes_->Find(Short(), Asker("short"));
  RunUntilAnswers(1);
  Boundary other = Short();
  other.tid += 1;
  probes_->Find(other, Asker("other"));
  RunUntilAnswers(2);
  EXPECT_EQ(answers_, (std::vector<std::string>{"short there", "other not there"}));
}

TEST_F(PositionProbesTest, AnErrorOfReadingIsTold) {
  bytes_.error = absl::DataLossError("injected");
  probes_->Find(Short(), Asker("one"));
  RunUntilAnswers(1);
  EXPECT_EQ(answers_, std::vector<std::string>{"one failed"});
}

TEST_F(PositionProbesTest, AShortOneIsAnsweredBeforeALongOneThatCameFirst) {
  probes_->Find(file_.end(), Asker("long"));
  probes_->Find(Short(), Asker("short"));
  RunUntilAnswers(2);
  EXPECT_EQ(answers_, (std::vector<std::string>{"short there", "long there"}));
}

// As after a restart of the publisher.
TEST_F(PositionProbesTest, AllWhoComeBackAtOnceShareWhatIsRead) {
  for (int i = 0; i < 64; ++i) probes_->Find(file_.end(), Asker("one"));
  RunUntilAnswers(64);
  EXPECT_LT(bytes_.read, kLong + 10'000);
  const uint64_t read = bytes_.read;
  probes_->Find(file_.end(), Asker("late"));
  EXPECT_EQ(answers_.back(), "late there");
  EXPECT_EQ(bytes_.read, read) << "it was found before";
}

TEST_F(PositionProbesTest, ShortOnesOfManyFollowersDoNotWaitForTheRate) {
  for (int i = 0; i < 64; ++i) probes_->Find(file_.boundaries()[1 + static_cast<size_t>(i) % 5], Asker("one"));
  RunUntilAnswers(64);
  EXPECT_LT(queue_.now(), absl::Seconds(1));
}

TEST_F(PositionProbesTest, WhatWasFoundInTheFileBeforeIsForgotten) {
  probes_->Find(file_.end(), Asker("one"));
  RunUntilAnswers(1);
  bytes_.bytes[bytes_.bytes.size() - 100] ^= 1;
  probes_->Forget();
  probes_->Find(file_.end(), Asker("two"));
  RunUntilAnswers(2);
  EXPECT_EQ(answers_.back(), "two not there");
}

TEST_F(PositionProbesTest, WhatWasBeingReadOfTheFileBeforeIsNotRemembered) {
  probes_->Find(file_.end(), Asker("one"));
  probes_->Forget();
  RunUntilAnswers(1);
  bytes_.bytes[bytes_.bytes.size() - 100] ^= 1;
  probes_->Find(file_.end(), Asker("two"));
  RunUntilAnswers(2);
  EXPECT_EQ(answers_.back(), "two not there");
}

TEST_F(PositionProbesTest, LongOnesWithoutEndAreReadAtTheRate) {
  for (uint64_t i = 0; i < 10; ++i) probes_->Find(Lie(i), Asker("lie"));
  RunUntilAnswers(10);
  EXPECT_EQ(answers_, std::vector<std::string>(10, "lie not there"));
  EXPECT_GT(queue_.now(), absl::Seconds(10 * 6 - 4 - 2)) << "60 MiB, of which 4 at once, at 1 MiB/s";
}

TEST_F(PositionProbesTest, WhoNamesAShortOneHasItsTurnAmongThem) {
  for (uint64_t i = 0; i < 10; ++i) probes_->Find(Lie(i), Asker("lie"));
  queue_.RunUntil(queue_.now() + absl::Seconds(5), [] { return false; });
  const absl::Duration before = queue_.now();
  probes_->Find(Short(), Asker("short"));
  RunUntilAnswers(1);
  EXPECT_EQ(answers_, std::vector<std::string>{"short there"});
  EXPECT_LT(queue_.now() - before, absl::Seconds(12)) << "one slice of each";
}

// Their peers have hung up.
TEST_F(PositionProbesTest, UnwantedOnesAreNeitherReadNorKept) {
  runtime_.HoldIo(absl::Seconds(10));
  for (uint64_t i = 0; i < 10'000; ++i) {
    const auto wanted = std::make_shared<bool>(true);
    probes_->Find(Lie(i), {[wanted] { return *wanted; }, [](const absl::StatusOr<bool>&) { FAIL(); }});
    *wanted = false;
    EXPECT_LE(probes_->waiting(), 1u);
  }
  probes_->Find(Short(), Asker("one"));
  RunUntilAnswers(1);
  EXPECT_LT(bytes_.read, 2 * PositionProbes::kSlice);
  EXPECT_EQ(probes_->waiting(), 0u);
}

TEST_F(PositionProbesTest, AnOldPositionIsFoundInTheOldFileIfThatIsTheOne) {
  bytes_.old.swap(bytes_.bytes);
  replication::OldPosition position{Short(), {}, true};
  probes_->FindOld(position, Asker("before"));
  RunUntilAnswers(1);
  position.just_before = false;
  probes_->FindOld(position, Asker("long ago"));
  RunUntilAnswers(2);
  bytes_.remembers = true;
  bytes_.old.clear();
  probes_->FindOld(position, Asker("remembered"));
  RunUntilAnswers(3);
  bytes_.remembers = false;
  position.just_before = true;
  probes_->FindOld(position, Asker("gone"));
  RunUntilAnswers(4);
  EXPECT_EQ(answers_,
            (std::vector<std::string>{"before there", "long ago not there", "remembered there", "gone not there"}));
}

}  // namespace
}  // namespace zrs::storage
