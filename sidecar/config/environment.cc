#include "sidecar/config/environment.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"

namespace zrs::config {
namespace {

absl::Status SystemError(int error) {
  return absl::Status(absl::ErrnoToStatusCode(error), std::generic_category().message(error));
}

// Stops soon after kMostFileBytes, which the parser then refuses: a wrong name may lead to a file of any size.
absl::StatusOr<std::string> ReadSome(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) return SystemError(errno);
  const auto closer = absl::MakeCleanup([descriptor] { close(descriptor); });
  std::string text;
  char buffer[16384];
  while (text.size() <= kMostFileBytes) {
    const ssize_t n = read(descriptor, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError(errno);
    if (n == 0) break;
    text.append(buffer, static_cast<size_t>(n));
  }
  return text;
}

std::optional<std::string> Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::optional<std::string> RealPath(const std::string& path) {
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) == nullptr) return std::nullopt;
  return std::string(resolved);
}

}  // namespace

Environment ProcessEnvironment() {
  std::error_code ignored;  // without a working directory relative names lead nowhere, which reading them tells
  const std::filesystem::path here = std::filesystem::current_path(ignored);
  return {ReadSome, Variable, RealPath, here.empty() ? "/" : here.string(), geteuid()};
}

}  // namespace zrs::config
