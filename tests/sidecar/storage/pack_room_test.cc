// Room on a secondary's disk for the packed file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/sidecar/storage/pack_test_fixture.h"

namespace zrs::storage {
namespace {

using testing::HasSubstr;

class PackRoomTest : public PackTest {
 protected:
  // Of the second pack, for which there is no room beside what the first one left.
  std::string Message() {
    secondary_.disk().SetCapacity(secondary_.Size() + file_.size() + 3000);
    primary_.Pack(Pack(file_, 3).bytes());
    RunUntilState(secondary_, "disk-full");
    return secondary_.Status().error().message();
  }
  static constexpr const char* kOld = "/secondary/Data.fs.old";
};

TEST_F(PackRoomTest, TheCopyStaysWithoutAndItGoesOnWhenThereIsSome) {
  Begin();
  secondary_.disk().SetCapacity(file_.size() + 3000);
  primary_.Pack(Pack(file_, 2).bytes());
  RunUntilState(secondary_, "disk-full");
  EXPECT_THAT(secondary_.Status().error().message(), HasSubstr("free"));
  EXPECT_TRUE(secondary_.Data() == file_.bytes());
  secondary_.disk().SetCapacity(UINT64_MAX);
  RunUntilFollowed();
}

TEST_F(PackRoomTest, WhatThePackBeforeLeftIsNamed) {
  Begin();
  primary_.Pack(Pack(file_, 2).bytes());
  RunUntilFollowed();
  EXPECT_THAT(Message(), HasSubstr(absl::StrCat("Data.fs.old, of ", file_.size(), " bytes")));
  EXPECT_TRUE(secondary_.disk().Exists(kOld)) << "that is for a person to say";
  ASSERT_TRUE(secondary_.disk().Remove(kOld).ok());
  RunUntilFollowed();
}

TEST_F(PackRoomTest, WhatSomebodyElseHasPutThereIsNotNamed) {
  Begin();
  primary_.Pack(Pack(file_, 2).bytes());
  RunUntilFollowed();
  secondary_.disk().SetContents(kOld, std::string(file_.size(), 'x'));
  EXPECT_THAT(Message(), testing::Not(HasSubstr("Data.fs.old")));
}

TEST_F(PackRoomTest, WhatIsHeldThoughItIsNotKeptIsNamed) {
  secondary_.SetKeepOld(false);
  Begin();
  primary_.Pack(Pack(file_, 2).bytes());
  RunUntilFollowed();
  EXPECT_THAT(Message(), HasSubstr(absl::StrCat(file_.size(), " bytes, is held for followers")));
  secondary_.Stop();
  secondary_.Start();
  RunUntilFollowed();
}

}  // namespace
}  // namespace zrs::storage
