#include "sidecar/admin/status_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "sidecar/admin/state_advice.h"
#include "tests/sidecar/admin/status_samples.h"

namespace zrs::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kGreen[] = "\033[32m";
constexpr char kYellow[] = "\033[33m";
constexpr char kRed[] = "\033[31m";

std::string Screen(const v1::StatusResponse& status, bool colored = false, size_t columns = 80) {
  return StatusToScreen(status, {.now = SampleTime(), .columns = columns, .colored = colored});
}

v1::StatusResponse InState(const std::string& state) {
  v1::StatusResponse status = EmptyStatus();
  status.mutable_storages(0)->set_state(state);
  return status;
}

// A text as it is before it is wrapped.
std::string Unwrapped(const std::string& screen) { return absl::StrReplaceAll(screen, {{"\n               ", " "}}); }

TEST(StatusScreen, ASecondaryThatStreams) {
  v1::StatusResponse status = FullStatus();
  v1::StorageStatus& storage = *status.mutable_storages(0);
  storage.clear_error();
  storage.clear_progress();
  storage.clear_watch();
  storage.clear_blobs();
  storage.clear_fencing_since();
  storage.mutable_last_swap()->clear_command_error();
  EXPECT_EQ(Screen(status),
            "zrs 1.2.3, pid 42\n"
            "\n"
            "main: secondary, streaming\n"
            "  file         /data/Data.fs\n"
            "  database     00112233445566778899aabbccddeeff\n"
            "  committed    offset 123456789 (123.5 MB), tid 03f2cd6d55555555, 5.0 s ago\n"
            "  upstream     database-host:5000, connected for 3 min\n"
            "  not followed old-host:5000: it is a stale primary\n"
            "  lag          1.5 MB, 2.5 s\n"
            "  compare      25 %, 250.0 MB of 1.0 GB, 125.0 MB/s, 6.0 s left\n"
            "  last swap    60 min ago\n"
            "  followers    10.0.0.2:41234  streaming  lag 1.8 kB, 250 ms  for 5 h\n");
}

TEST(StatusScreen, EverythingElse) {
  const std::string screen = Screen(FullStatus());
  EXPECT_THAT(screen, HasSubstr("  blobs        external\n"));
  EXPECT_THAT(screen, HasSubstr("  watch        inotify\n"));
  EXPECT_THAT(screen, HasSubstr("  progress     25 %, 250.0 MB of 1.0 GB, 125.0 MB/s, 6.0 s left\n"));
  EXPECT_THAT(screen, HasSubstr("  fence        the fence-command runs for 42 s\n"));
  EXPECT_THAT(screen, HasSubstr("  reason       something is wrong (for 10 min)\n"));
  EXPECT_THAT(screen, HasSubstr("  next step    mend it\n"));
}

TEST(StatusScreen, WhatIsNotKnownIsNotShownAsZero) {
  v1::StatusResponse status = EmptyStatus();
  status.mutable_storages(0)->mutable_upstream()->set_address("host:1");
  const std::string screen = Screen(status);
  EXPECT_THAT(screen, HasSubstr("lag          unknown"));
  EXPECT_THAT(screen, HasSubstr("upstream     host:1, not connected so far\n"));
  for (const char* label : {"committed", "database", "progress", "watch", "blobs", "followers"}) {
    EXPECT_THAT(screen, Not(HasSubstr(label)));
  }
  status.mutable_storages(0)->set_lag_bytes(0);
  EXPECT_THAT(Screen(status), HasSubstr("lag          none\n"));
}

TEST(StatusScreen, AnUnknownLagWhileAFileIsOnItsWayIsNoSilence) {
  v1::StatusResponse status = InState("rebuilding");
  status.mutable_storages(0)->mutable_upstream()->set_address("host:1");
  EXPECT_THAT(Screen(status), HasSubstr("lag          unknown until the file is here\n"));
}

TEST(StatusScreen, ReadersThatWereNotToldOfASwap) {
  v1::StatusResponse status = FullStatus();
  status.mutable_storages(0)->clear_error();
  const std::string screen = Unwrapped(Screen(status));
  EXPECT_THAT(screen, HasSubstr("  last swap    60 min ago; readers that keep the file open were not told, the on-swap "
                                "command failed: it ended with exit code 3\n"));
  EXPECT_THAT(screen, HasSubstr("  reason       readers that keep the file open were not told"));
  EXPECT_THAT(screen, HasSubstr("run the command by hand"));
  EXPECT_THAT(Screen(status, /*colored=*/true), HasSubstr(absl::StrCat(kYellow, "streaming")));
  status.mutable_storages(0)->mutable_last_swap()->clear_command_error();
  EXPECT_THAT(Screen(status), Not(HasSubstr("reason")));
  EXPECT_THAT(Screen(status, /*colored=*/true), HasSubstr(absl::StrCat(kGreen, "streaming")));
}

TEST(StatusScreen, ProgressWithoutARate) {
  v1::StatusResponse status = EmptyStatus();
  status.mutable_storages(0)->mutable_progress()->set_total(2000);
  EXPECT_THAT(Screen(status), HasSubstr("  progress     0 %, 0 B of 2.0 kB\n"));
}

TEST(StatusScreen, FollowersAreATable) {
  v1::StatusResponse status = InState("streaming");
  v1::StorageStatus& storage = *status.mutable_storages(0);
  storage.set_role("primary");
  EXPECT_THAT(Screen(status), HasSubstr("  followers    none\n"));
  const auto add = [&storage](const std::string& peer, const std::string& state, absl::Duration connected) {
    v1::Follower& follower = *storage.add_followers();
    follower.set_peer(peer);
    follower.set_state(state);
    follower.set_connected_since(SampleTimeText(connected));
    return &follower;
  };
  add("10.0.0.2:41234", "streaming", absl::Hours(72))->set_lag_bytes(0);
  add("[2001:db8::1]:5000", "copying", absl::Seconds(4))->set_lag_bytes(300'000'000);
  add("10.0.0.9:1", "handshake", absl::ZeroDuration());
  EXPECT_THAT(Screen(status), HasSubstr("  followers    10.0.0.2:41234      streaming  lag none      for 3 days\n"
                                        "               [2001:db8::1]:5000  copying    lag 300.0 MB  for 4.0 s\n"
                                        "               10.0.0.9:1          handshake  lag unknown   for 0 s\n"));
}

TEST(StatusScreen, EachStateThatDoesNotStreamHasReasonAndNextStep) {
  for (const KnownState& state : KnownStates()) {
    const std::string screen = Screen(InState(std::string(state.name)));
    EXPECT_THAT(screen, HasSubstr(absl::StrCat("main: secondary, ", state.name, "\n")));
    const bool streaming = state.name == "streaming";
    EXPECT_EQ(screen.find("\n  reason       ") == std::string::npos, streaming) << screen;
    EXPECT_EQ(screen.find("\n  next step    ") == std::string::npos, streaming) << screen;
  }
  EXPECT_THAT(Screen(InState("newer")), HasSubstr("does not know the state newer"));
}

TEST(StatusScreen, ConnectingTellsTheLastError) {
  v1::StatusResponse status = InState("connecting");
  v1::Upstream& upstream = *status.mutable_storages(0)->mutable_upstream();
  upstream.set_address("host:5000");
  EXPECT_THAT(Screen(status), HasSubstr("reason       host:5000 has not answered yet\n"));
  EXPECT_THAT(Unwrapped(Screen(status)), HasSubstr("is zrs running there, is the address right?"));
  // Who does not answer at all is an error, with a remedy of its own.
  upstream.set_last_error("the primary's file was replaced");
  EXPECT_THAT(Unwrapped(Screen(status)),
              HasSubstr("reason       not connected to host:5000: the primary's file was replaced\n"));
  EXPECT_THAT(Unwrapped(Screen(status)), Not(HasSubstr("is zrs running there")));
}

TEST(StatusScreen, WhatZrsItselfSaysComesFirst) {
  for (const KnownState& state : KnownStates()) {
    v1::StatusResponse status = InState(std::string(state.name));
    v1::Problem& error = *status.mutable_storages(0)->mutable_error();
    error.set_message("the very reason");
    error.set_remedy("the very remedy");
    error.set_since(SampleTimeText(absl::Seconds(30)));
    const std::string screen = Screen(status);
    EXPECT_THAT(screen, HasSubstr("  reason       the very reason (for 30 s)\n"));
    EXPECT_THAT(screen, HasSubstr("  next step    the very remedy\n"));
  }
}

TEST(StatusScreen, ColorsOfTheStates) {
  const auto color_of = [](v1::StatusResponse status) {
    const std::string screen = Screen(status, /*colored=*/true);
    const std::string before = "main: secondary, ";
    const size_t begin = screen.find(before) + before.size();
    EXPECT_THAT(screen.substr(begin), HasSubstr(absl::StrCat(status.storages(0).state(), "\033[0m\n")));
    return screen.substr(begin, std::string(kGreen).size());
  };
  EXPECT_EQ(color_of(InState("streaming")), kGreen);
  for (const char* state : {"starting", "connecting", "copying", "rebuilding", "newer"}) {
    EXPECT_EQ(color_of(InState(state)), kYellow) << state;
  }
  for (const char* state : {"stopped", "diverged", "disk-full"}) EXPECT_EQ(color_of(InState(state)), kRed) << state;
  // It serves, but something is wrong.
  EXPECT_EQ(color_of(FullStatus()), kYellow);
}

TEST(StatusScreen, NoEscapesWithoutColorsAndNoneFromElsewhere) {
  v1::StatusResponse status = FullStatus();
  v1::StorageStatus& storage = *status.mutable_storages(0);
  storage.set_name("na\033me");
  storage.set_state("sta\033te");
  storage.set_path("/data/\033[2J");
  storage.mutable_followers(0)->set_peer("\033c");
  storage.mutable_error()->set_message("\033[31mred");
  EXPECT_THAT(Screen(status), Not(HasSubstr("\033")));
}

TEST(StatusScreen, UsualValuesFitEightyColumns) {
  v1::StatusResponse status = FullStatus();
  v1::StorageStatus& storage = *status.mutable_storages(0);
  storage.set_committed_end(123'456'789'012);
  storage.mutable_upstream()->set_address("[2001:db8:1234:5678::1]:5000");
  storage.mutable_followers(0)->set_peer("[2001:db8::1234]:41234");
  storage.mutable_error()->set_message(std::string("a long message ") + std::string(150, 'x') + " of words");
  for (const absl::string_view line : absl::StrSplit(Screen(status), '\n')) {
    EXPECT_TRUE(line.size() <= 80 || line.find("xxx") != absl::string_view::npos) << line;
  }
}

TEST(StatusScreen, ANarrowWindowHasMoreLinesAndAWideOneFewer) {
  v1::StatusResponse status = InState("connecting");
  const auto lines = [&status](size_t columns) {
    const std::string screen = Screen(status, false, columns);
    return std::count(screen.begin(), screen.end(), '\n');
  };
  EXPECT_GT(lines(40), lines(80));
  EXPECT_GT(lines(80), lines(200));
}

TEST(StatusScreen, ATimeThatCannotBeReadIsShownAsItIs) {
  v1::StatusResponse status = FullStatus();
  status.mutable_storages(0)->mutable_error()->set_since("yesterday");
  EXPECT_THAT(Screen(status), HasSubstr("(for yesterday)"));
}

TEST(StatusScreen, StoragesAreSetApart) {
  v1::StatusResponse status = InState("streaming");
  *status.add_storages() = status.storages(0);
  status.mutable_storages(1)->set_name("other");
  EXPECT_THAT(Screen(status), HasSubstr("\n\nmain: secondary, streaming\n  file         /data/Data.fs\n\nother: "));
}

}  // namespace
}  // namespace zrs::admin
