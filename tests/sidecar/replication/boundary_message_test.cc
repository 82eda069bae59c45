#include "sidecar/replication/boundary_message.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/sidecar/replication/fixtures.h"
#include "tests/support/file_builder.h"

namespace zrs::replication {
namespace {

v1::Boundary GoodBoundary() {
  tests::FileBuilder file;
  file.AddMany(2, 10);
  return ToProto(file.end());
}

TEST(BoundaryMessageTest, SurvivesTheWayThere) {
  tests::FileBuilder file;
  file.AddMany(2, 10);
  for (const filestorage::Boundary& boundary : file.boundaries()) {
    const auto back = FromProto(ToProto(boundary));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, boundary);
  }
  const auto none = FromProto(ToProto(filestorage::Boundary{}));
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none, filestorage::Boundary{});
}

TEST(BoundaryMessageTest, NoFileHasNoDigest) { EXPECT_TRUE(ToProto(filestorage::Boundary{}).digest().empty()); }

TEST(BoundaryMessageTest, RefusesNoFileWithDigest) {
  v1::Boundary boundary;
  boundary.set_digest(Id('x'));
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, RefusesNoFileWithTid) {
  v1::Boundary boundary;
  boundary.set_tid(1);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, RefusesNoFileWithLastOffset) {
  v1::Boundary boundary;
  boundary.set_last_offset(4);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, RefusesOffsetInsideMagic) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_offset(3);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, RefusesOffsetBeyondSigned64Bits) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_offset(kLargestOffset + 1);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, RefusesMagicAloneWithTid) {
  v1::Boundary boundary = ToProto(filestorage::FirstBoundary(filestorage::Magic::kFs30));
  boundary.set_tid(1);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, RefusesMagicAloneWithLastOffset) {
  v1::Boundary boundary = ToProto(filestorage::FirstBoundary(filestorage::Magic::kFs30));
  boundary.set_last_offset(4);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, RefusesLastTransactionInsideMagic) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_last_offset(3);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, RefusesLastTransactionBehindOffset) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_last_offset(boundary.offset() + 1);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, LastTransactionHasAtLeastHeaderAndLength) {
  v1::Boundary boundary = GoodBoundary();
  boundary.set_last_offset(boundary.offset() - 31);
  EXPECT_TRUE(FromProto(boundary).ok());
  boundary.set_last_offset(boundary.offset() - 30);
  EXPECT_FALSE(FromProto(boundary).ok());
}

TEST(BoundaryMessageTest, RefusesDigestOfOtherSize) {
  v1::Boundary boundary = GoodBoundary();
  for (size_t size : {0, 15, 17}) {
    boundary.set_digest(std::string(size, 'x'));
    EXPECT_FALSE(FromProto(boundary).ok()) << size;
  }
}

TEST(BoundaryMessageTest, IsDescribed) {
  EXPECT_EQ(DescribePosition({}), "no file");
  EXPECT_EQ(DescribePosition(filestorage::FirstBoundary(filestorage::Magic::kFs21)), "offset 4 (no transactions)");
  EXPECT_EQ(DescribePosition({100, 4, 0x03f2a1b2c3d4e5f6, {}}), "offset 100 (tid 03f2a1b2c3d4e5f6)");
}

}  // namespace
}  // namespace zrs::replication
