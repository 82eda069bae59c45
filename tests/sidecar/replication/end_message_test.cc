#include "sidecar/replication/end_message.h"

#include <gtest/gtest.h>

#include <string>

namespace zrs::replication {
namespace {

TEST(EndMessageTest, TextsAreCleanAndBounded) {
  const v1::End end = MakeEnd(v1::End::REASON_PROTOCOL, std::string(5000, 'm'), "re\nmedy");
  EXPECT_EQ(end.reason(), v1::End::REASON_PROTOCOL);
  EXPECT_EQ(end.message(), std::string(kLongestEndText, 'm'));
  EXPECT_EQ(end.remedy(), "re?medy");
}

}  // namespace
}  // namespace zrs::replication
