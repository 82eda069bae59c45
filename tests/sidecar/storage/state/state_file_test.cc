#include "sidecar/storage/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "filestorage/format.h"
#include "sidecar/replication/boundary_message.h"
#include "sidecar/replication/lineage.h"
#include "sidecar/text/printable.h"
#include "sidecar/text/utf8.h"
#include "tests/support/file_builder.h"
#include "tests/support/simulated_file_system.h"

namespace zrs::storage {
namespace {

using ::testing::HasSubstr;

constexpr char kPath[] = "/state/main.state";

State Example() {
  State state;
  state.path = "/data/Data.fs";
  state.machine_id = "4e1c";
  state.role = "secondary";
  state.lineage.set_database_id("0123456789abcdef");
  v1::Epoch* first = state.lineage.add_epochs();
  first->set_id("first-epoch-id-x");
  first->set_origin(v1::Epoch::ORIGIN_FIRST);
  first->set_generation(1);
  v1::Epoch* forked = state.lineage.add_epochs();
  forked->set_id("second-epoch-idx");
  forked->set_origin(v1::Epoch::ORIGIN_FORKED);
  forked->set_generation(2);
  *forked->mutable_left() = replication::ToProto(tests::FileBuilder().AddMany(2, 10).end());
  state.lower_bound = tests::FileBuilder().AddMany(3, 10).end();
  State::Rebuild& rebuild = state.rebuild.emplace();
  rebuild.lineage = state.lineage;
  v1::Epoch replaced = state.lineage.epochs(1);
  replaced.set_id("third-epoch-id-x");
  replaced.set_origin(v1::Epoch::ORIGIN_REPLACED);
  replication::AddEpoch(replaced, &rebuild.lineage);
  rebuild.lower_bound = tests::FileBuilder().AddMany(1, 10).end();
  rebuild.swap = State::Swap{state.lower_bound, rebuild.lower_bound, "2026-11-23T05:59:01.000001Z"};
  state.swap_to_tell = "2026-11-23T05:58:01.000001Z";
  state.yielded_epoch = "second-epoch-idx";
  state.rival_generation = 7;
  state.rival = "the publisher is a stale primary";
  state.upstream = "one:5000";
  state.upstream_is_secondary = true;
  state.followers = {{"follower-1------", {{1, 2}, {3, 4}}}, {"follower-2------", {{5, 6}}}};
  return state;
}

class StateFileTest : public ::testing::Test {
 protected:
  StateFileTest() { EXPECT_TRUE(files_.CreateDirectories("/state", 0755).ok()); }

  absl::Status LoadError(absl::string_view from, absl::string_view to) {
    StateFile writer(files_, kPath);
    EXPECT_TRUE(writer.Save(Example()).ok());
    const std::string contents = files_.Contents(kPath);
    const std::string damaged = absl::StrReplaceAll(contents, {{from, to}});
    EXPECT_NE(contents, damaged) << "the test damages nothing";
    files_.SetContents(kPath, damaged);
    return StateFile(files_, kPath).Load().status();
  }

  tests::SimulatedFileSystem files_;
};

TEST_F(StateFileTest, MissingIsNoError) {
  auto loaded = StateFile(files_, kPath).Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->has_value());
}

TEST_F(StateFileTest, WhatIsSavedIsLoaded) {
  const State saved = Example();
  ASSERT_TRUE(StateFile(files_, kPath).Save(saved).ok());
  auto loaded = StateFile(files_, kPath).Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ASSERT_TRUE(loaded->has_value());
  EXPECT_EQ((*loaded)->path, saved.path);
  EXPECT_EQ((*loaded)->machine_id, saved.machine_id);
  EXPECT_EQ((*loaded)->role, saved.role);
  EXPECT_EQ((*loaded)->lower_bound, saved.lower_bound);
  EXPECT_EQ((*loaded)->lineage.SerializeAsString(), saved.lineage.SerializeAsString());
  ASSERT_TRUE((*loaded)->rebuild && (*loaded)->rebuild->swap);
  EXPECT_EQ((*loaded)->rebuild->lineage.SerializeAsString(), saved.rebuild->lineage.SerializeAsString());
  EXPECT_EQ((*loaded)->rebuild->lower_bound, saved.rebuild->lower_bound);
  EXPECT_EQ((*loaded)->rebuild->swap->from, saved.rebuild->swap->from);
  EXPECT_EQ((*loaded)->rebuild->swap->to, saved.rebuild->swap->to);
  EXPECT_EQ((*loaded)->rebuild->swap->time, saved.rebuild->swap->time);
  EXPECT_EQ((*loaded)->swap_to_tell, saved.swap_to_tell);
  EXPECT_EQ((*loaded)->yielded_epoch, saved.yielded_epoch);
  EXPECT_EQ((*loaded)->rival_generation, saved.rival_generation);
  EXPECT_EQ((*loaded)->rival, saved.rival);
  EXPECT_EQ((*loaded)->upstream, "one:5000");
  EXPECT_TRUE((*loaded)->upstream_is_secondary);
  EXPECT_EQ((*loaded)->followers, saved.followers);
  EXPECT_EQ((*loaded)->followers.size(), 2u);
}

TEST_F(StateFileTest, AFollowerThatIsNone) {
  EXPECT_TRUE(absl::IsInvalidArgument(LoadError("666f6c6c6f7765722d312d2d2d2d2d2d", "0")));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadError("00000000000000010000000000000002", "0")));
}

// What is said of it goes into a status, which takes UTF-8 alone, and to a terminal.
TEST_F(StateFileTest, BytesThatAreNoTextAreShownAsTheyAre) {
  files_.SetContents(kPath, "{\"version\": 1, \"path\": \"\xff\xfe garbage\n\x1b[31m \xc3\xa4");
  const absl::Status status = StateFile(files_, kPath).Load().status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_TRUE(text::IsUtf8(status.message())) << status;
  EXPECT_EQ(text::Clean(status.message()), status.message());
  EXPECT_THAT(std::string(status.message()), HasSubstr(kPath));
}

TEST_F(StateFileTest, ControlCharactersInAValueAreShownAsTheyAre) {
  const absl::Status status = LoadError("\"role\": \"secondary\"", "\"role\": \"\\u001b[31m\xc3\xa4\"");
  EXPECT_THAT(std::string(status.message()), HasSubstr("unknown role \"\\033[31m\xc3\xa4\""));
}

TEST_F(StateFileTest, AYieldedEpochThatIsNoId) {
  EXPECT_TRUE(absl::IsInvalidArgument(LoadError("\"yieldedEpoch\": \"7", "\"yieldedEpoch\": \"z")));
}

// As before there was a time of a swap.
TEST_F(StateFileTest, ASwapWithoutATime) {
  State old = Example();
  old.swap_to_tell.reset();
  old.rebuild->swap->time.clear();
  ASSERT_TRUE(StateFile(files_, kPath).Save(old).ok());
  std::string contents = files_.Contents(kPath);
  EXPECT_EQ(contents.find("swapToTell"), std::string::npos);
  contents = absl::StrReplaceAll(contents, {{",\n  \"swapTime\": \"\"", ""}});
  EXPECT_EQ(contents.find("swapTime"), std::string::npos) << contents;
  files_.SetContents(kPath, contents);
  const auto loaded = StateFile(files_, kPath).Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->swap_to_tell, std::nullopt);
  EXPECT_EQ((*loaded)->rebuild->swap->time, "");
  EXPECT_EQ((*loaded)->rebuild->swap->to, old.rebuild->swap->to);
}

TEST_F(StateFileTest, ATimeOfASwapThatIsNone) {
  EXPECT_TRUE(absl::IsInvalidArgument(LoadError("2026-11-23T05:59:01.000001Z", "yesterday")));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadError("2026-11-23T05:58:01.000001Z", "yesterday")));
}

TEST_F(StateFileTest, IsReadableForPeople) {
  ASSERT_TRUE(StateFile(files_, kPath).Save(Example()).ok());
  EXPECT_THAT(files_.Contents(kPath), HasSubstr("\"databaseId\": \"30313233343536373839616263646566\""));
  const std::string left = filestorage::TidHex(replication::LeftBoundary(Example().lineage.epochs(1)).tid);
  EXPECT_THAT(files_.Contents(kPath), HasSubstr(absl::StrCat("\"tid\": \"", left, "\"")));
}

TEST_F(StateFileTest, SaveIsDurable) {
  ASSERT_TRUE(files_.SyncDirectory("/").ok());
  ASSERT_TRUE(StateFile(files_, kPath).Save(Example()).ok());
  tests::SeededChooser chooser(1);
  files_.Crash(chooser);
  auto loaded = StateFile(files_, kPath).Load();
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_TRUE(loaded->has_value());
}

TEST_F(StateFileTest, UnchangedStateIsNotWrittenAgain) {
  StateFile file(files_, kPath);
  ASSERT_TRUE(file.Save(Example()).ok());
  int operations = 0;
  files_.SetHook([&operations](const tests::SimulatedOperation&) {
    ++operations;
    return absl::OkStatus();
  });
  ASSERT_TRUE(file.Save(Example()).ok());
  EXPECT_EQ(operations, 0);
}

TEST_F(StateFileTest, NotJson) {
  const absl::Status error = LoadError("{", "[");
  EXPECT_TRUE(absl::IsInvalidArgument(error)) << error;
  EXPECT_THAT(std::string(error.message()), HasSubstr(kPath));
}

TEST_F(StateFileTest, LaterVersionIsNamed) {
  const absl::Status error = LoadError("\"version\": 1", "\"version\": 2");
  EXPECT_TRUE(absl::IsUnimplemented(error)) << error;
  EXPECT_THAT(std::string(error.message()), HasSubstr("version is 2"));
}

// Which zrs adopt would take for damaged, and begin another identity.
TEST_F(StateFileTest, LaterVersionIsNamedWhateverElseItHas) {
  const absl::Status error = LoadError("\"version\": 1", "\"version\": 2, \"novelty\": {\"a\": [1, \"b\"]}");
  EXPECT_TRUE(absl::IsUnimplemented(error)) << error;
  EXPECT_THAT(std::string(error.message()), HasSubstr("version is 2"));
  EXPECT_TRUE(absl::IsInvalidArgument(LoadError("\"version\": 1", "\"version\": 1, \"novelty\": 1")));
}

TEST_F(StateFileTest, UnknownRole) { EXPECT_TRUE(absl::IsInvalidArgument(LoadError("\"secondary\"", "\"tertiary\""))); }

TEST_F(StateFileTest, ShortDatabaseId) {
  EXPECT_TRUE(absl::IsInvalidArgument(LoadError("30313233343536373839616263646566", "3031")));
}

TEST_F(StateFileTest, IdThatIsNotHex) {
  EXPECT_TRUE(
      absl::IsInvalidArgument(LoadError("30313233343536373839616263646566", "zz313233343536373839616263646566")));
}

TEST_F(StateFileTest, UnknownOrigin) { EXPECT_TRUE(absl::IsInvalidArgument(LoadError("\"forked\"", "\"spooned\""))); }

TEST_F(StateFileTest, BadTid) {
  for (const char* bad : {"3f8478008888888", "+3f8478008888888", "0x8478008888888a", " 3f8478008888888", ""}) {
    EXPECT_TRUE(absl::IsInvalidArgument(LoadError("\"03f8478008888888\"", absl::StrCat("\"", bad, "\"")))) << bad;
  }
}

TEST_F(StateFileTest, NoEpoch) {
  files_.SetContents(kPath, R"({"version": 1, "role": "primary", "databaseId": "30313233343536373839616263646566"})");
  EXPECT_TRUE(absl::IsInvalidArgument(StateFile(files_, kPath).Load().status()));
}

TEST_F(StateFileTest, FileThatIsTooLarge) {
  files_.SetContents(kPath, std::string((16 << 20) + 1, ' '));
  EXPECT_TRUE(absl::IsInvalidArgument(StateFile(files_, kPath).Load().status()));
}

TEST_F(StateFileTest, EmptyFile) {
  files_.SetContents(kPath, "");
  EXPECT_TRUE(absl::IsInvalidArgument(StateFile(files_, kPath).Load().status()));
}

TEST(CheckStateBelongs, SameFileAndMachine) {
  EXPECT_TRUE(CheckStateBelongs(Example(), kPath, "/data/Data.fs", "4e1c").ok());
}

TEST(CheckStateBelongs, OtherFile) {
  const absl::Status error = CheckStateBelongs(Example(), kPath, "/data/Other.fs", "4e1c");
  EXPECT_TRUE(absl::IsFailedPrecondition(error));
  EXPECT_THAT(std::string(error.message()), HasSubstr("/data/Data.fs"));
}

TEST(CheckStateBelongs, OtherMachine) {
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckStateBelongs(Example(), kPath, "/data/Data.fs", "beef")));
}

TEST(CheckStateBelongs, UnknownMachineMatchesAny) {
  EXPECT_TRUE(CheckStateBelongs(Example(), kPath, "/data/Data.fs", "").ok());
}

}  // namespace
}  // namespace zrs::storage
