// What gRPC's library is brought up with.
#include "sidecar/transport/grpc_library.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace zrs::transport {
namespace {

std::string LineOf(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

TEST(GrpcLibraryTest, ItsTimersMayBeLateAndNobodyElses) {
  const int before = prctl(PR_GET_TIMERSLACK);
  BringUpGrpc();
  BringUpGrpc();
  EXPECT_EQ(prctl(PR_GET_TIMERSLACK), before);
  int others = 0;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    if (thread.path().filename() == std::to_string(getpid())) continue;
    const std::string slack = LineOf("/proc" / thread.path().filename() / "timerslack_ns");
    if (slack.empty()) GTEST_SKIP() << "what another thread was told cannot be read here";
    ++others;
    EXPECT_GE(std::stoll(slack), 1'000'000'000);
  }
  EXPECT_GT(others, 0);
}

}  // namespace
}  // namespace zrs::transport
