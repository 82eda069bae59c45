// The commands that start, stop and probe a process.
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "filestorage/posix_file_system.h"
#include "sidecar/admin/admin_client.h"
#include "sidecar/admin/state_advice.h"
#include "sidecar/cli/background.h"
#include "sidecar/cli/commands.h"
#include "sidecar/cli/logging.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/process.h"
#include "sidecar/cli/process_lock.h"
#include "sidecar/config/loader.h"
#include "sidecar/monitoring/health_board.h"
#include "sidecar/monitoring/health_client.h"

namespace zrs::cli {
namespace {

constexpr absl::Duration kHealthTimeout = absl::Seconds(5);
constexpr absl::Duration kStatusTimeout = absl::Seconds(5);
constexpr absl::Duration kPoll = absl::Milliseconds(50);
// By then a storage that cannot work has said so, most often.
constexpr absl::Duration kFirstLook = absl::Milliseconds(500);
// What closing files and streams may take beyond the time for followers.
constexpr absl::Duration kStopGrace = absl::Seconds(20);
// Shorter work is silent.
constexpr absl::Duration kPatience = absl::Seconds(1);

absl::Status RunInBackgroundOf(config::Settings& settings, OnUp on_up) {
  absl::Status made = filestorage::PosixFileSystem().CreateDirectories(settings.sidecar.state_dir, kStateDirectoryMode);
  if (!made.ok()) return made;
  if (settings.sidecar.log_file.empty()) settings.sidecar.log_file = settings.sidecar.state_dir + "/zrs.log";
  absl::Status logging = StartLogging(settings.sidecar);
  return logging.ok() ? RunProcess(settings, on_up) : logging;
}

// Followers that have not everything, a line for people each; nothing where zrs does not answer any more.
std::optional<std::vector<std::string>> FollowersBehind(admin::AdminClient& client) {
  const auto status = client.Status(kStatusTimeout);
  if (!status.ok()) return std::nullopt;
  std::vector<std::string> behind;
  for (const v1::StorageStatus& storage : status->storages()) {
    for (const v1::Follower& follower : storage.followers()) {
      if (follower.lag_bytes() == 0) continue;
      behind.push_back(absl::StrCat("zrs: storage ", storage.name(), ": follower ", follower.peer(),
                                    " has not acknowledged the last ", follower.lag_bytes(),
                                    " bytes; it goes on from there when zrs is started again\n"));
    }
  }
  return behind;
}

// Waits until no process, or another one, runs; `behind` is what was so when the time for followers was nearly over.
absl::Status WaitForEnd(pid_t pid, const config::SidecarSettings& settings, std::vector<std::string>& behind) {
  const auto began = std::chrono::steady_clock::now();
  const absl::Duration most = settings.stop_timeout + kStopGrace;
  admin::AdminClient client(settings.admin_socket);
  bool told = false;
  for (;;) {
    const absl::StatusOr<std::optional<pid_t>> holder = ProcessLock::Holder(settings.state_dir);
    if (!holder.ok()) return holder.status();
    const absl::Duration waited = absl::FromChrono(std::chrono::steady_clock::now() - began);
    if (!holder->has_value() || **holder != pid) {
      // It ends sooner when all followers have everything.
      if (waited < settings.stop_timeout) behind.clear();
      return absl::OkStatus();
    }
    // Once the time is over the followers are let go, and nobody knows any more who was behind.
    const bool asked = waited + kPoll < settings.stop_timeout;
    if (auto now = asked ? FollowersBehind(client) : std::nullopt) behind = *std::move(now);
    if (waited > most) {
      return absl::DeadlineExceededError(
          absl::StrCat("process ", pid, " has not stopped after ", absl::FormatDuration(most),
                       "; see its log, or end it with kill -9: no data is lost by that"));
    }
    if (waited > kPatience && !std::exchange(told, true)) {
      Print(stderr, absl::StrCat("zrs: waiting up to ", absl::FormatDuration(settings.stop_timeout),
                                 " for followers to have everything\n"));
    }
    absl::SleepFor(kPoll);
  }
}

// Storages that need somebody; the process is up for them too.
void TellOfTrouble(const config::SidecarSettings& settings) {
  admin::AdminClient client(settings.admin_socket);
  const auto began = std::chrono::steady_clock::now();
  auto status = client.Status(kStatusTimeout);
  const auto starting = [](const v1::StorageStatus& storage) { return storage.state() == "starting"; };
  while (status.ok() && absl::c_any_of(status->storages(), starting) &&
         absl::FromChrono(std::chrono::steady_clock::now() - began) < kFirstLook) {
    absl::SleepFor(kPoll);
    status = client.Status(kStatusTimeout);
  }
  if (!status.ok()) return;
  for (const v1::StorageStatus& storage : status->storages()) {
    const std::optional<admin::Advice> advice = admin::AdviceFor(storage);
    if (admin::SeverityOf(storage) != admin::Severity::kNeedsSomebody || !advice) continue;
    Print(stderr, absl::StrCat("zrs: it is up, but storage ", storage.name(), " is ", storage.state(), ": ",
                               advice->reason, "; ", advice->next_step, "\n"));
  }
}

constexpr char kNeverRan[] =
    ", and none ever had; if the directory was moved away while one ran, that one runs on: pgrep -a zrs shows it, and "
    "kill stops it in order";

}  // namespace

int StartCommand(const std::string& config) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  const auto holder = ProcessLock::Holder(settings->sidecar.state_dir);
  if (!holder.ok()) return Complain(holder.status(), kFailed);
  if (holder->has_value()) {
    Print(stderr, absl::StrCat("zrs: process ", **holder, " runs already; for a changed configuration to count, stop ",
                               "it first\n"));
    return kSuccess;
  }
  const absl::StatusOr<pid_t> started =
      RunInBackground([&](OnUp on_up) { return RunInBackgroundOf(*settings, on_up); });
  if (!started.ok()) return Complain(started.status(), kFailed);
  TellOfTrouble(settings->sidecar);
  return kSuccess;
}

int StopCommand(const std::string& config) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  const auto holder = ProcessLock::Holder(settings->sidecar.state_dir);
  if (!holder.ok()) return Complain(holder.status(), kFailed);
  if (!holder->has_value()) {
    const std::string& directory = settings->sidecar.state_dir;
    const bool never_ran = access(ProcessLock::Path(directory).c_str(), F_OK) != 0;
    Print(stderr, absl::StrCat("zrs: it did not run: no process has the lock of the state directory ", directory,
                               never_ran ? kNeverRan : "", "\n"));
    return kSuccess;
  }
  if (kill(**holder, SIGTERM) != 0 && errno != ESRCH) {
    return Complain(absl::ErrnoToStatus(errno, absl::StrCat("stop process ", **holder)), kFailed);
  }
  std::vector<std::string> behind;
  const absl::Status ended = WaitForEnd(**holder, settings->sidecar, behind);
  if (!ended.ok()) return Complain(ended, kFailed);
  for (const std::string& line : behind) Print(stderr, line);
  return kSuccess;
}

int HealthCommand(const std::string& config, const std::string& service) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  const std::string& socket = settings->sidecar.admin_socket;
  absl::StatusOr<bool> healthy = monitoring::AskHealth(socket, service, kHealthTimeout);
  if (absl::IsNotFound(healthy.status()) && !absl::StartsWith(service, "zrs.")) {
    healthy = monitoring::AskHealth(socket, monitoring::HealthService(service), kHealthTimeout);
  }
  if (!healthy.ok()) return Complain(healthy.status(), absl::IsNotFound(healthy.status()) ? kUsage : kFailed);
  return *healthy ? PrintResult("SERVING\n", kSuccess) : PrintResult("NOT_SERVING\n", kFailed);
}

}  // namespace zrs::cli
