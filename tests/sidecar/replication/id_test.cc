#include "sidecar/replication/id.h"

#include <gtest/gtest.h>

#include <string>

namespace zrs::replication {
namespace {

TEST(IdTest, IsDescribed) {
  EXPECT_EQ(DescribeId(""), "none");
  EXPECT_EQ(DescribeId(std::string(kIdSize, 'a')), "61616161616161616161616161616161");
}

}  // namespace
}  // namespace zrs::replication
