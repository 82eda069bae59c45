#include "sidecar/config/environment.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"

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

constexpr size_t kMostEntryBytes = size_t{1} << 20;

// `get(entry, buffer, size, &found)` is one of getpwnam_r and its kin. Calls `use(*found)` where there is an entry.
template <typename Entry, typename Get, typename Use>
bool UseEntry(const Get& get, const Use& use) {
  Entry entry;
  for (size_t size = 1024; size <= kMostEntryBytes; size *= 4) {
    std::vector<char> buffer(size);
    Entry* found = nullptr;
    const int error = get(&entry, buffer.data(), size, &found);
    if (error == ERANGE) continue;
    if (error != 0 || found == nullptr) return false;
    use(*found);
    return true;
  }
  return false;
}

bool IsNumber(const std::string& text) { return text.find_first_not_of("0123456789") == std::string::npos; }

std::optional<User> FindUser(const std::string& name) {
  User user;
  const auto use = [&user](const passwd& entry) { user = {entry.pw_uid, entry.pw_gid}; };
  const auto by_name = [&name](auto... to) { return getpwnam_r(name.c_str(), to...); };
  if (UseEntry<passwd>(by_name, use)) return user;
  uid_t number = 0;
  const auto by_number = [&number](auto... to) { return getpwuid_r(number, to...); };
  if (IsNumber(name) && absl::SimpleAtoi(name, &number) && UseEntry<passwd>(by_number, use)) return user;
  return std::nullopt;
}

std::optional<uint32_t> FindGroup(const std::string& name) {
  uint32_t id = 0;
  const auto use = [&id](const group& entry) { id = entry.gr_gid; };
  const auto by_name = [&name](auto... to) { return getgrnam_r(name.c_str(), to...); };
  if (UseEntry<group>(by_name, use)) return id;
  gid_t number = 0;
  const auto by_number = [&number](auto... to) { return getgrgid_r(number, to...); };
  if (IsNumber(name) && absl::SimpleAtoi(name, &number) && UseEntry<group>(by_number, use)) return id;
  return std::nullopt;
}

}  // namespace

Environment ProcessEnvironment() {
  std::error_code ignored;  // without a working directory relative names lead nowhere, which reading them tells
  const std::filesystem::path here = std::filesystem::current_path(ignored);
  return {ReadSome, Variable, RealPath, FindUser, FindGroup, here.empty() ? "/" : here.string(), geteuid()};
}

}  // namespace zrs::config
