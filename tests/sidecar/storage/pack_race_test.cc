// Packs that come while something else is going on.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/sidecar/storage/machine.h"
#include "tests/sidecar/storage/pack_test_fixture.h"
#include "tests/sidecar/storage/storage_test_fixture.h"
#include "tests/support/file_builder.h"

namespace zrs::storage {
namespace {

using tests::FileBuilder;

class PackRaceTest : public PairTest {
 protected:
  // What a pack leaves of the file: its last transaction.
  std::string Packed() const {
    return FileBuilder()
        .Add({.tid = file_.end().tid,
              .status = filestorage::kStatusPacked,
              .records = {{.oid = 1, .data = std::string(5000, 'p')}}})
        .bytes();
  }
};

// The state tells of an earlier end than the follower has, and the file is packed before zrs has read up to its end.
TEST_F(PackRaceTest, WhileThePrimarysSidecarStartsAfterAKill) {
  Begin();
  const std::string state = primary_.disk().Contents("/state/primary.state");
  primary_.Write(file_.AddMany(6, 100).bytes());
  RunUntilEqual(primary_, secondary_);
  primary_.Stop();
  primary_.disk().SetContents("/state/primary.state", state);
  bool packed = false;
  primary_.disk().SetHook([&](const tests::SimulatedOperation& operation) {
    const bool opened = operation.kind == tests::SimulatedOperation::Kind::kSyncDirectory;
    if (opened && operation.path == "/primary" && !std::exchange(packed, true)) {
      EXPECT_TRUE(primary_.disk().Rename("/primary/Data.fs", "/primary/Data.fs.old").ok());
      primary_.disk().SetContents("/primary/Data.fs", Packed());
    }
    return absl::OkStatus();
  });
  primary_.Start();
  RunUntilEqual(primary_, secondary_);
  primary_.disk().SetHook(nullptr);
}

// What is beside the file tells of a later pack already when it is looked at.
TEST_F(PackRaceTest, WhileAPackIsBeingProvedByTheOldFile) {
  Begin();
  FileBuilder packed = file_;
  const auto pack = [&] {
    packed = Pack(packed, 50).AddMany(3, 100);
    if (primary_.disk().Exists("/primary/Data.fs.old")) {
      EXPECT_TRUE(primary_.disk().Remove("/primary/Data.fs.old").ok());
    }
    EXPECT_TRUE(primary_.disk().Rename("/primary/Data.fs", "/primary/Data.fs.old").ok());
    primary_.disk().SetContents("/primary/Data.fs", packed.bytes());
  };
  pack();
  pack();
  bool packed_twice = false;
  primary_.disk().SetHook([&](const tests::SimulatedOperation& operation) {
    const bool opened = operation.kind == tests::SimulatedOperation::Kind::kOpen;
    if (opened && operation.path == "/primary/Data.fs.old" && !std::exchange(packed_twice, true)) {
      pack();
      pack();
    }
    return absl::OkStatus();
  });
  RunUntilEqual(primary_, secondary_);
  EXPECT_TRUE(packed_twice);
  primary_.disk().SetHook(nullptr);
  EXPECT_EQ(primary_.Data(), packed.bytes());
}

// The follower is to take the second for a pack of its own file, though the first, which it never saw, dropped what
// that one had last of objects that are garbage, and the second the empty transaction behind it.
TEST_F(PackRaceTest, ThatDropTheEndInTwoSteps) {
  const tests::TransactionSpec root{.tid = tests::TestTid(1), .records = {{.oid = 0, .data = "root"}}};
  const tests::TransactionSpec garbage{.tid = tests::TestTid(2), .records = {{.oid = 7, .data = "unreferenced"}}};
  const tests::TransactionSpec empty{.tid = tests::TestTid(3)};
  const auto packed = [](tests::TransactionSpec transaction) {
    transaction.status = filestorage::kStatusPacked;
    return transaction;
  };
  file_ = FileBuilder().Add(root).Add(garbage).Add(empty);
  Begin();
  secondary_.Stop();
  for (const FileBuilder& pack :
       {FileBuilder().Add(packed(root)).Add(packed(empty)), FileBuilder().Add(packed(root))}) {
    const std::string epoch = primary_.Status().epoch();
    primary_.Pack(pack.bytes());
    EXPECT_TRUE(world_.RunUntil([&] { return primary_.serving() && primary_.Status().epoch() != epoch; }));
  }
  secondary_.Start();
  RunUntilEqual(primary_, secondary_);
}

TEST_F(PackRaceTest, ADiskThatWasFullDoesNotHideThatTheCopyHasDivergedSince) {
  Begin();
  secondary_.disk().SetCapacity(file_.size() + 3000);
  primary_.Pack(Packed());
  RunUntilState(secondary_, "disk-full");
  primary_.Replace(FileBuilder().AddMany(39, 900).bytes());
  RunUntilState(primary_, "diverged");
  secondary_.disk().SetCapacity(UINT64_MAX);
  RunUntilState(secondary_, "diverged");
}

}  // namespace
}  // namespace zrs::storage
