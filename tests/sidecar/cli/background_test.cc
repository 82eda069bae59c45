#include "sidecar/cli/background.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace zrs::cli {
namespace {

int WaitFor(pid_t pid) {
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return status;
}

TEST(Background, ReturnsTheProcessOnceItIsUp) {
  const auto pid = RunInBackground([](OnUp on_up) {
    if (getsid(0) != getpid()) return absl::InternalError("not in a session of its own");
    on_up();
    pause();
    return absl::OkStatus();
  });
  ASSERT_TRUE(pid.ok()) << pid.status();
  EXPECT_EQ(kill(*pid, SIGKILL), 0);
  EXPECT_TRUE(WIFSIGNALED(WaitFor(*pid)));
}

TEST(Background, EndsByTheResultOfWhatRan) {
  for (const bool well : {true, false}) {
    const auto pid = RunInBackground([well](OnUp on_up) {
      on_up();
      return well ? absl::OkStatus() : absl::InternalError("nobody is told of this any more");
    });
    ASSERT_TRUE(pid.ok()) << pid.status();
    const int status = WaitFor(*pid);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), well ? 0 : 1);
  }
}

TEST(Background, TellsWhyItIsNotUp) {
  const auto pid = RunInBackground([](OnUp) { return absl::UnavailableError("the address is in use"); });
  EXPECT_EQ(pid.status(), absl::UnavailableError("the address is in use"));
}

TEST(Background, TellsHowItEndedWhenItSaidNothing) {
  const auto killed = RunInBackground([](OnUp) {
    raise(SIGKILL);
    return absl::OkStatus();
  });
  EXPECT_EQ(killed.status(), absl::InternalError("zrs ended before it was up: it was ended by signal 9"));
  const auto ended = RunInBackground([](OnUp) -> absl::Status { std::_Exit(3); });
  EXPECT_EQ(ended.status(), absl::InternalError("zrs ended before it was up: it ended with exit code 3"));
}

}  // namespace
}  // namespace zrs::cli
