#include "tests/simulation/simulated_writer.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "filestorage/format.h"
#include "gtest/gtest.h"
#include "tests/simulation/opener.h"

namespace zrs::simulation {
namespace {

constexpr char kPath[] = "/data/Data.fs";

class SimulatedWriterTest : public testing::Test {
 protected:
  SimulatedWriterTest() {
    EXPECT_TRUE(disk_.CreateDirectories("/data", 0755).ok());
    notifications_.Add(kPath, [this] { ++changes_; });
    writer_.Open();
  }

  // What an opener finds is what the writer says is committed.
  void ExpectHistoryIsCommitted() {
    const std::string contents = disk_.Contents(kPath);
    const Opened opened = OpenAsZodb(contents);
    EXPECT_FALSE(opened.refused) << opened.reason;
    ASSERT_EQ(opened.end, writer_.history().size());
    EXPECT_TRUE(absl::StartsWith(contents, writer_.history()));
  }

  // A step inside a transaction at which bytes follow the committed end.
  void StepUntilVoted() {
    while (disk_.Contents(kPath).size() <= writer_.history().size()) writer_.Step();
  }

  EventQueue queue_{7};
  EventLog log_{queue_, 1000};
  tests::SimulatedFileSystem disk_;
  FileNotifications notifications_;
  int changes_ = 0;
  SimulatedWriter writer_{queue_, disk_, notifications_, log_, kPath, {}};
};

TEST_F(SimulatedWriterTest, OpenCreatesTheFile) {
  EXPECT_EQ(disk_.Contents(kPath), "FS30");
  EXPECT_EQ(writer_.history(), "FS30");
  EXPECT_GT(changes_, 0);
}

TEST_F(SimulatedWriterTest, AtEachStepAnOpenerFindsTheHistory) {
  for (int i = 0; i < 2000; ++i) {
    writer_.Step();
    ExpectHistoryIsCommitted();
  }
  EXPECT_GT(writer_.transactions(), 100u);
  EXPECT_EQ(log_.violation(), "");
}

TEST_F(SimulatedWriterTest, APackIsAFileOfItsOwnAndTheOldOneIsKept) {
  for (int round = 0; round < 20; ++round) {
    while (writer_.transactions() < 20u * static_cast<uint64_t>(round + 1) || writer_.busy()) writer_.Step();
    const std::string before = writer_.history();
    const size_t epoch = writer_.epoch();
    writer_.BeginPack(round % 2 == 0);
    while (writer_.busy()) writer_.Step();
    ExpectHistoryIsCommitted();
    if (writer_.epoch() == epoch) continue;  // there was no garbage
    EXPECT_LT(writer_.history().size(), before.size());
    EXPECT_EQ(writer_.HistoryOf(epoch), before);
    EXPECT_EQ(disk_.Contents("/data/Data.fs.old"), before);
    EXPECT_FALSE(disk_.Exists("/data/Data.fs.pack"));
  }
  EXPECT_GT(writer_.epoch(), 5u);
  EXPECT_EQ(log_.violation(), "");
}

TEST_F(SimulatedWriterTest, APowerLossInAPackLeavesAFileOfSomeEpoch) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    while (writer_.transactions() < 3 * (seed + 1) || writer_.busy()) writer_.Step();
    writer_.BeginPack(true);
    for (uint64_t step = 0; step < seed % 12; ++step) writer_.Step();
    tests::SeededChooser chooser(seed);
    disk_.Crash(chooser);
    writer_.OnHostCrash();
    writer_.Open();
    ExpectHistoryIsCommitted();
    ASSERT_EQ(log_.violation(), "") << log_.Text();
  }
  EXPECT_GT(writer_.epoch(), 20u);
}

TEST_F(SimulatedWriterTest, AnEpochBeginsWithARestoredBackupAndPacksOfItAreOfIt) {
  while (writer_.transactions() < 30 || writer_.busy()) writer_.Step();
  const std::string before = writer_.history();
  writer_.BeginPack(false);
  while (writer_.busy()) writer_.Step();
  ASSERT_EQ(writer_.epoch(), 1u);
  const auto header = filestorage::DecodeTransactionHeader(absl::string_view(before).substr(4));
  const uint64_t end = 4 + header.length + filestorage::kLengthSize;
  writer_.GoOnFromBackup(0, end);
  EXPECT_FALSE(writer_.is_open());
  disk_.SetContents(kPath, writer_.history());
  EXPECT_EQ(writer_.history(), before.substr(0, end));
  EXPECT_EQ(writer_.HistoryOf(0), before);
  EXPECT_TRUE(writer_.IsForked(2));
  EXPECT_EQ(writer_.RestoredIn(2), 2u);
  EXPECT_EQ(writer_.RestoredIn(1), 0u);
  writer_.Open();
  while (writer_.transactions() < 60 || writer_.busy()) writer_.Step();
  ExpectHistoryIsCommitted();
  writer_.BeginPack(false);
  while (writer_.busy()) writer_.Step();
  ASSERT_EQ(writer_.epoch(), 3u);
  EXPECT_EQ(writer_.RestoredIn(3), 2u);
  EXPECT_EQ(log_.violation(), "");
}

TEST_F(SimulatedWriterTest, ShowsVotesInPartsAndAborts) {
  bool short_body = false;
  bool shrank = false;
  uint64_t size = 0;
  for (int i = 0; i < 2000; ++i) {
    writer_.Step();
    const uint64_t now = disk_.Contents(kPath).size();
    shrank |= now < size;
    size = now;
    short_body |= now > writer_.history().size() && now < writer_.history().size() + 31;
  }
  EXPECT_TRUE(short_body);
  EXPECT_TRUE(shrank);
}

TEST_F(SimulatedWriterTest, OpenAfterAKillSavesTheTailAndCutsIt) {
  StepUntilVoted();
  const std::string contents = disk_.Contents(kPath);
  const std::string history = writer_.history();
  writer_.Kill();
  writer_.Step();
  EXPECT_EQ(disk_.Contents(kPath), contents);
  writer_.Open();
  EXPECT_EQ(disk_.Contents(kPath), history);
  EXPECT_EQ(disk_.Contents("/data/Data.fs.tr0"), contents.substr(history.size()));
  StepUntilVoted();
  writer_.Kill();
  writer_.Open();
  EXPECT_TRUE(disk_.Exists("/data/Data.fs.tr1"));
}

TEST_F(SimulatedWriterTest, WhatWasSyncedSurvivesAPowerLoss) {
  while (writer_.transactions() < 10 || writer_.busy()) writer_.Step();
  const std::string history = writer_.history();
  ASSERT_TRUE(disk_.SyncDirectory("/data").ok());
  StepUntilVoted();
  tests::LoseEverything lose_everything;
  disk_.Crash(lose_everything);
  writer_.OnHostCrash();
  EXPECT_FALSE(writer_.is_open());
  EXPECT_EQ(writer_.history(), history);
  writer_.Open();
  for (int i = 0; i < 200; ++i) writer_.Step();
  ExpectHistoryIsCommitted();
}

TEST_F(SimulatedWriterTest, AFileThatWasLostIsBegunAgain) {
  tests::LoseEverything lose_everything;
  disk_.Crash(lose_everything);
  writer_.OnHostCrash();
  EXPECT_EQ(writer_.history(), "");
  writer_.Open();
  EXPECT_EQ(disk_.Contents(kPath), "FS30");
}

}  // namespace
}  // namespace zrs::simulation
