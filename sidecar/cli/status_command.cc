#include "sidecar/cli/status_command.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/admin/admin_client.h"
#include "sidecar/admin/status_json.h"
#include "sidecar/admin/status_screen.h"
#include "sidecar/cli/output.h"
#include "sidecar/cli/terminal/frame.h"
#include "sidecar/cli/terminal/terminal.h"
#include "sidecar/config/loader.h"

namespace zrs::cli {
namespace {

constexpr absl::Duration kStatusTimeout = absl::Seconds(10);
constexpr absl::Duration kWatchTimeout = absl::Seconds(3);
constexpr auto kWatchInterval = std::chrono::seconds(1);

// A client of its own each time: a connection that failed would wait longer and longer before it tried again.
absl::StatusOr<v1::StatusResponse> Ask(const std::string& socket, absl::Duration timeout) {
  return admin::AdminClient(socket).Status(timeout);
}

std::string Screen(const v1::StatusResponse& status) {
  admin::ScreenOptions options;
  options.now = absl::Now();
  options.columns = WindowSizeOf(STDOUT_FILENO).columns;
  options.colored = WantsColor(STDOUT_FILENO);
  return admin::StatusToScreen(status, options);
}

// Each returns whether standard output still takes something.

bool ShowJson(const absl::StatusOr<v1::StatusResponse>& status, std::string& complaint) {
  if (status.ok()) {
    complaint.clear();
    return Print(stdout, admin::StatusToJson(*status, admin::JsonLayout::kOneLine));
  }
  if (complaint != status.status().message()) {
    complaint = std::string(status.status().message());
    Complain(status.status(), kFailed);
  }
  return true;
}

bool ShowScreen(const absl::StatusOr<v1::StatusResponse>& status, bool first) {
  const std::string screen =
      status.ok() ? Screen(*status) : absl::StrCat("zrs: ", status.status().message(), "\nTrying again each second.\n");
  if (IsTerminal(STDOUT_FILENO)) return Print(stdout, Frame(screen, WindowSizeOf(STDOUT_FILENO)));
  return Print(stdout, absl::StrCat(first ? "" : "\n", screen));
}

int Watch(const std::string& socket, bool json) {
  const bool in_place = !json && IsTerminal(STDOUT_FILENO);
  EndOnSignals(STDOUT_FILENO, in_place ? kEndFrames : "", AfterSignal::kSucceed);
  if (in_place) Print(stdout, kBeginFrames);
  std::string complaint;
  for (bool first = true;; first = false) {
    const auto status = Ask(socket, kWatchTimeout);
    if (!(json ? ShowJson(status, complaint) : ShowScreen(status, first))) return kFailed;
    std::this_thread::sleep_for(kWatchInterval);
  }
}

}  // namespace

int StatusCommand(const std::string& config, const StatusOptions& options) {
  auto settings = config::LoadSettings(config);
  if (!settings.ok()) return Complain(settings.status(), kUsage);
  const std::string& socket = settings->sidecar.admin_socket;
  if (options.watch) return Watch(socket, options.json);
  const auto status = Ask(socket, kStatusTimeout);
  if (!status.ok()) return Complain(status.status(), kFailed);
  return PrintResult(options.json ? admin::StatusToJson(*status, admin::JsonLayout::kIndented) : Screen(*status),
                     kSuccess);
}

}  // namespace zrs::cli
