#include "sidecar/cli/access.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace zrs::cli {
namespace {

constexpr gid_t kNobodysGroup = 65534;
constexpr int kCannotBecome = 1;  // the child's exit code
constexpr int kMostGroups = 65536;

std::vector<int> TryHere(const std::vector<WantedAccess>& wanted) {
  std::vector<int> errors;
  for (const WantedAccess& one : wanted) {
    errors.push_back(faccessat(AT_FDCWD, one.path.c_str(), one.how, AT_EACCESS) == 0 ? 0 : errno);
  }
  return errors;
}

bool Become(const Account& account) {
  return setgroups(account.groups.size(), account.groups.data()) == 0 &&
         setresgid(account.group_id, account.group_id, account.group_id) == 0 &&
         setresuid(account.user_id, account.user_id, account.user_id) == 0;
}

// In the child. Does not return.
[[noreturn]] void Answer(const Account& account, const std::vector<WantedAccess>& wanted, int pipe_end) {
  if (!Become(account)) _exit(kCannotBecome);
  for (const int error : TryHere(wanted)) {
    if (write(pipe_end, &error, sizeof error) != sizeof error) _exit(kCannotBecome);
  }
  _exit(0);
}

// Up to `count` answers from the child.
std::vector<int> ReadAnswers(int pipe_end, size_t count) {
  std::vector<int> errors;
  while (errors.size() < count) {
    int error = 0;
    const ssize_t n = read(pipe_end, &error, sizeof error);  // whole: less than PIPE_BUF is written at once
    if (n < 0 && errno == EINTR) continue;
    if (n != sizeof error) break;
    errors.push_back(error);
  }
  return errors;
}

}  // namespace

bool IsTrustedOwner(uid_t owner) { return owner == geteuid() || owner == 0; }

Account OwnAccount() {
  Account account = AccountOf(geteuid(), std::nullopt);
  account.group_id = getegid();
  account.groups.resize(static_cast<size_t>(kMostGroups));
  const int count = getgroups(kMostGroups, account.groups.data());
  account.groups.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return account;
}

Account AccountOf(uid_t user_id, std::optional<gid_t> fallback_group) {
  const passwd* entry = getpwuid(user_id);
  if (entry == nullptr) {
    return {absl::StrCat("user ", user_id), user_id, fallback_group.value_or(kNobodysGroup), {}};
  }
  Account account{absl::StrCat("user ", entry->pw_name), user_id, entry->pw_gid, {}};
  int count = kMostGroups;
  account.groups.resize(static_cast<size_t>(count));
  const int found = getgrouplist(entry->pw_name, entry->pw_gid, account.groups.data(), &count);
  account.groups.resize(found > 0 ? static_cast<size_t>(found) : 0);
  return account;
}

absl::StatusOr<std::vector<int>> TryAccess(const Account& account, const std::vector<WantedAccess>& wanted) {
  if (account.user_id == geteuid()) return TryHere(wanted);
  const absl::Status failed = absl::PermissionDeniedError(absl::StrCat("cannot act as ", account.name, " to try"));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "make a pipe");
  const auto close_first = absl::MakeCleanup([&ends] { close(ends[0]); });
  const pid_t child = fork();
  if (child == 0) Answer(account, wanted, ends[1]);
  const int fork_error = errno;
  close(ends[1]);
  if (child < 0) return absl::ErrnoToStatus(fork_error, "make a process");
  std::vector<int> errors = ReadAnswers(ends[0], wanted.size());
  int how_ended = 0;
  while (waitpid(child, &how_ended, 0) < 0 && errno == EINTR) continue;
  if (how_ended != 0 || errors.size() != wanted.size()) return failed;
  return errors;
}

}  // namespace zrs::cli
