// Going on from an index that is there, or not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "filestorage/index/index_builder.h"
#include "tests/filestorage/index/index_test_fixture.h"
#include "tests/filestorage/index/reference_index.h"
#include "tests/support/file_builder.h"

namespace zrs::filestorage {
namespace {

using testing::HasSubstr;
using tests::FileBuilder;
using tests::TestTid;

class GoingOnTest : public IndexBuilderTest {
 protected:
  GoingOnTest() { files_.SetContents(kData, file_.bytes()); }

  // It is made from the beginning, and right.
  void ExpectFromTheBeginning(const std::string& why) {
    const IndexReport report = BuildWell({.go_on = true});
    EXPECT_EQ(report.went_on_from, 0u);
    EXPECT_THAT(report.not_gone_on, HasSubstr(why));
    EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(files_.Contents(kData)));
  }

  FileBuilder file_ = Varied();
};

TEST_F(GoingOnTest, FromEachTransaction) {
  for (size_t n = 1; n < file_.boundaries().size(); n += 7) {
    const uint64_t position = file_.boundaries()[n].offset;
    files_.SetContents(kIndex, ReferenceIndexOf(file_.bytes().substr(0, position)));
    const IndexReport report = BuildWell({.go_on = true, .memory_limit = 0});
    EXPECT_EQ(report.not_gone_on, "");
    EXPECT_EQ(report.went_on_from, position);
    EXPECT_EQ(report.scanned_bytes, file_.size() - position);
    EXPECT_EQ(report.objects, ReferencePositions(file_.bytes()).size());
    EXPECT_EQ(report.written, position != file_.size());
    ASSERT_EQ(files_.Contents(kIndex), ReferenceIndexOf(file_.bytes())) << n;
  }
}

TEST_F(GoingOnTest, OneThatIsUpToDateStaysAsItIs) {
  BuildWell();
  const uint64_t inode = files_.Stat(kIndex)->inode;
  const IndexReport report = BuildWell({.go_on = true});
  EXPECT_FALSE(report.written);
  EXPECT_EQ(report.objects, ReferencePositions(file_.bytes()).size());
  EXPECT_EQ(report.position, file_.size());
  EXPECT_EQ(files_.Stat(kIndex)->inode, inode);
}

TEST_F(GoingOnTest, WithoutOne) { ExpectFromTheBeginning("there is no /db/Data.fs.index"); }

TEST_F(GoingOnTest, OfAnotherFile) {
  files_.SetContents(kIndex, ReferenceIndexOf(FileBuilder().AddMany(30, 200).bytes()));
  ExpectFromTheBeginning("no transaction ends at");
}

TEST_F(GoingOnTest, BehindTheEnd) {
  FileBuilder longer = file_;
  files_.SetContents(kIndex, ReferenceIndexOf(longer.AddMany(1, 10).bytes()));
  ExpectFromTheBeginning("the data file has");
}

TEST_F(GoingOnTest, InTheMiddleOfATransaction) {
  files_.SetContents(kIndex, ReferenceIndex(ReferencePositions(file_.bytes()), file_.size() - 1));
  ExpectFromTheBeginning("no transaction ends at");
}

TEST_F(GoingOnTest, ThatLacksTheLastRecord) {
  std::map<uint64_t, uint64_t> positions = ReferencePositions(file_.bytes());
  positions.erase(399);
  files_.SetContents(kIndex, ReferenceIndex(positions, file_.size()));
  ExpectFromTheBeginning("it does not have the record of oid 000000000000018f");
}

TEST_F(GoingOnTest, ThatHasTheLastRecordElsewhere) {
  std::map<uint64_t, uint64_t> positions = ReferencePositions(file_.bytes());
  positions[399] -= 1;
  files_.SetContents(kIndex, ReferenceIndex(positions, file_.size()));
  ExpectFromTheBeginning("it does not have the record of oid");
}

TEST_F(GoingOnTest, ThatIsDamaged) {
  const std::string index = ReferenceIndexOf(file_.bytes().substr(0, file_.boundaries()[100].offset));
  for (const size_t cut : {size_t{0}, size_t{1}, index.size() / 2, index.size() - 1}) {
    files_.SetContents(kIndex, index.substr(0, cut));
    ExpectFromTheBeginning("it ends too soon");
  }
}

TEST_F(GoingOnTest, OfAnotherPython) {
  FileBuilder old(Magic::kFs21);
  old.AddMany(10, 100);
  files_.SetContents(kData, old.bytes());
  BuildWell();
  EXPECT_EQ(BuildWell({.go_on = true}).went_on_from, old.size());
  files_.SetContents(kData, FileBuilder().AddMany(10, 100).bytes());
  ExpectFromTheBeginning("of another Python");
}

TEST_F(GoingOnTest, BehindTransactionsWithoutRecords) {
  file_.Add({.tid = TestTid(900)}).Add({.tid = TestTid(901), .status = kStatusUndone, .records = {{.oid = 1}}});
  const uint64_t position = file_.size();
  files_.SetContents(kData, file_.bytes());
  files_.SetContents(kIndex, ReferenceIndexOf(file_.bytes()));
  file_.AddMany(3, 10);
  files_.SetContents(kData, file_.bytes());
  EXPECT_EQ(BuildWell({.go_on = true}).went_on_from, position);
  EXPECT_EQ(files_.Contents(kIndex), ReferenceIndexOf(file_.bytes()));
}

TEST_F(GoingOnTest, OfNothingButTransactionsWithoutRecords) {
  FileBuilder empty;
  for (uint64_t n = 1; n < 9; ++n) empty.Add({.tid = TestTid(n)});
  files_.SetContents(kData, empty.bytes());
  files_.SetContents(kIndex, ReferenceIndexOf(empty.bytes()));
  ExpectFromTheBeginning("there is no record before its position");
}

}  // namespace
}  // namespace zrs::filestorage
