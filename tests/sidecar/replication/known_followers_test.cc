#include "sidecar/replication/known_followers.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace zrs::replication {
namespace {

const filestorage::Boundary kBoundary = {.offset = 400, .last_offset = 300, .tid = 7, .digest = {1, 2}};

KnownFollower Follower(const std::string& node_id, uint64_t first, uint64_t count) {
  KnownFollower follower{node_id, {}};
  for (uint64_t n = 0; n < count; ++n) follower.marks.push_back({first, n});
  return follower;
}

TEST(KnownFollowersTest, OneIsRememberedInSeveralPlaces) {
  std::vector<KnownFollower> known;
  RememberToo("a", MarkOf("epoch-1", kBoundary), &known);
  Remember({"b", {MarkOf("epoch-0", kBoundary)}}, &known);
  RememberToo("a", MarkOf("epoch-2", kBoundary), &known);
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known.back().node_id, "a");
  for (const char* epoch : {"epoch-0", "epoch-1", "epoch-2"}) EXPECT_TRUE(WasThere(known, {kBoundary, {epoch}}));
  for (uint64_t n = 0; n < kMostOwnMarks; ++n) RememberToo("a", {5, n}, &known);
  EXPECT_EQ(known.back().marks.size(), kMostOwnMarks);
  EXPECT_EQ(known.back().marks.back(), (filestorage::Digest{5, kMostOwnMarks - 1}));
}

TEST(KnownFollowersTest, OneIsWhereItWasLastSeen) {
  std::vector<KnownFollower> known;
  Remember({"a", {MarkOf("epoch-1", kBoundary)}}, &known);
  EXPECT_TRUE(WasThere(known, {kBoundary, {"epoch-0", "epoch-1"}}));
  EXPECT_FALSE(WasThere(known, {kBoundary, {"epoch-0"}})) << "another file";
  EXPECT_FALSE(WasThere(known, {kBoundary, {}}));
  Remember({"a", {MarkOf("epoch-2", kBoundary)}}, &known);
  EXPECT_FALSE(WasThere(known, {kBoundary, {"epoch-1"}})) << "it has moved on";
}

TEST(KnownFollowersTest, EverythingOfABoundaryCounts) {
  std::vector<KnownFollower> known;
  Remember({"a", {MarkOf("epoch", kBoundary)}}, &known);
  for (auto change : {+[](filestorage::Boundary& b) { ++b.offset; }, +[](filestorage::Boundary& b) { ++b.last_offset; },
                      +[](filestorage::Boundary& b) { ++b.tid; }, +[](filestorage::Boundary& b) { ++b.digest.low; }}) {
    filestorage::Boundary other = kBoundary;
    change(other);
    EXPECT_FALSE(WasThere(known, {other, {"epoch"}}));
  }
}

TEST(KnownFollowersTest, TheFirstOnesAreForgottenWhereThereAreTooMany) {
  std::vector<KnownFollower> known;
  for (uint64_t n = 0; n <= kMostKnownFollowers; ++n) Remember(Follower(std::to_string(n), n, 1), &known);
  ASSERT_EQ(known.size(), kMostKnownFollowers);
  EXPECT_EQ(known.front().node_id, "1");
  EXPECT_EQ(known.back().node_id, std::to_string(kMostKnownFollowers));
}

TEST(KnownFollowersTest, TheFirstOnesAreForgottenWhereTheirMarksAreTooMany) {
  std::vector<KnownFollower> known;
  Remember(Follower("a", 1, 10), &known);
  Remember(Follower("b", 2, kMostMarks - 10), &known);
  EXPECT_EQ(known.size(), 2u);
  Remember(Follower("c", 3, 1), &known);
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known.front().node_id, "b");
}

TEST(KnownFollowersTest, OfOneWithTooManyMarksTheLastOnesAreKept) {
  std::vector<KnownFollower> known;
  Remember(Follower("a", 1, kMostMarks + 5), &known);
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known.front().marks.size(), kMostMarks);
  EXPECT_EQ(known.front().marks.front().low, 5u);
}

}  // namespace
}  // namespace zrs::replication
