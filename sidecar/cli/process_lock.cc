#include "sidecar/cli/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace zrs::cli {
namespace {

// Holder() has the lock for a moment itself.
constexpr int kTries = 5;
constexpr useconds_t kPauseMicros = 20'000;

std::optional<pid_t> ReadPid(int descriptor) {
  char buffer[32];
  const ssize_t size = pread(descriptor, buffer, sizeof buffer, 0);
  pid_t pid = 0;
  if (size <= 0 || !absl::SimpleAtoi(absl::string_view(buffer, static_cast<size_t>(size)), &pid) || pid <= 0) {
    return std::nullopt;
  }
  return pid;
}

}  // namespace

std::string ProcessLock::Path(const std::string& state_dir) { return absl::StrCat(state_dir, "/zrs.lock"); }

absl::StatusOr<std::unique_ptr<ProcessLock>> ProcessLock::Take(const std::string& state_dir) {
  const std::string path = Path(state_dir);
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (descriptor < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path, " (check that state-dir may be written)"));
  }
  std::unique_ptr<ProcessLock> lock(new ProcessLock(descriptor));
  int tries = kTries;
  while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("lock ", path));
    if (--tries > 0) {
      usleep(kPauseMicros);
      continue;
    }
    const std::optional<pid_t> holder = ReadPid(descriptor);
    return absl::UnavailableError(absl::StrCat("another zrs", holder ? absl::StrCat(", process ", *holder, ",") : "",
                                               " already runs with the state directory ", state_dir, " (it holds ",
                                               path, "); stop it first, or give this one its own"));
  }
  const std::string text = absl::StrCat(getpid(), "\n");
  if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, text.data(), text.size(), 0) < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("write ", path));
  }
  return lock;
}

ProcessLock::~ProcessLock() { close(descriptor_); }

absl::StatusOr<std::optional<pid_t>> ProcessLock::Holder(const std::string& state_dir) {
  const std::string path = Path(state_dir);
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (descriptor < 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("open ", path, " (ask as the user that runs zrs)"));
  const auto closer = absl::MakeCleanup([descriptor] { close(descriptor); });
  if (flock(descriptor, LOCK_SH | LOCK_NB) == 0) return std::nullopt;
  if (errno != EWOULDBLOCK) return absl::ErrnoToStatus(errno, absl::StrCat("lock ", path));
  const std::optional<pid_t> pid = ReadPid(descriptor);
  if (!pid) return absl::UnavailableError(absl::StrCat(path, " is locked, and does not say by which process"));
  return pid;
}

}  // namespace zrs::cli
